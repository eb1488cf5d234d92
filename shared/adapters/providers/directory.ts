import type { Model, ProviderHealth } from "../../contract/model.ts";
import { byPreference, describeModel, seedOf } from "../../domain/catalogue/describe-model.ts";
import { SEED_MODELS } from "../../domain/catalogue/seed-models.ts";
import { type ListedModel, ProviderError } from "../../ports/model-provider.ts";
import type { ProviderDirectory, ProviderInstance } from "../../ports/provider-directory.ts";
import { abortAfter } from "../abort-after.ts";
import { createGuideProvider } from "./guide/guide-provider.ts";
import { afterProbe, afterTraffic, type HealthRecord, newHealth, type ProbeOutcome } from "./provider-health.ts";
import { type ConfiguredProvider, type ProviderSettings, providersFromSettings } from "./providers-from-settings.ts";
import type { Fetch } from "./watched-fetch.ts";

const FRESH_MS = 60_000;
const PROBE_TIMEOUT_MS = 10_000;

export interface ProviderDirectoryDeps {
  settings: ProviderSettings;
  fetch: Fetch;
  now: () => Date;
  /** Keeps a background probe alive after the request that caused it: `ctx.waitUntil`. */
  schedule?: (work: Promise<void>) => void;
}

interface Entry extends ConfiguredProvider {
  health: HealthRecord;
  listed: ListedModel[] | undefined;
  /** When a probe last ended; null before the first. */
  probedAt: number | null;
  probe: { startedAt: number; work: Promise<void> } | undefined;
}

function modelsOf(entry: Entry): Model[] {
  const { id, kind } = entry;
  const listed = (entry.listed ?? []).map((model) =>
    describeModel(kind, model, { providerId: id, health: entry.health.state }),
  );
  const seeded = SEED_MODELS.filter(
    (seed) => seed.provider === kind && !listed.some((model) => seedOf(kind, model.id) === seed),
  ).map((seed) => {
    // A vendor's list may be short; what it leaves out stays usable, unproven.
    const health = entry.listed ? "unknown" : entry.health.state;
    return describeModel(kind, { id: seed.id }, { providerId: id, health });
  });
  return byPreference(kind, listed, seeded);
}

const toInstance = (entry: Entry): ProviderInstance => ({
  id: entry.id,
  kind: entry.kind,
  displayName: entry.displayName,
  health: entry.health.state,
  models: modelsOf(entry),
  provider: entry.provider,
});

const toHealth = ({ id, kind, displayName, health }: Entry): ProviderHealth => ({
  providerId: id,
  kind,
  displayName,
  state: health.state,
  since: health.since.toISOString(),
  latencyMs: health.latencyMs === null ? null : Math.round(health.latencyMs),
  checkedAt: health.checkedAt?.toISOString() ?? null,
  ...(health.lastError === undefined ? {} : { lastError: health.lastError }),
});

async function within(work: Promise<unknown>, deadlineMs: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, deadlineMs);
  });
  await Promise.race([work, deadline]);
  clearTimeout(timer);
}

class Directory implements ProviderDirectory {
  readonly #deps: ProviderDirectoryDeps;
  readonly #entries: Entry[];

  constructor(deps: ProviderDirectoryDeps) {
    this.#deps = deps;
    const { fetch } = deps;
    const guide = {
      id: "guide",
      kind: "guide" as const,
      displayName: "Built-in guide",
      provider: createGuideProvider(),
    };
    this.#entries = [...providersFromSettings(deps.settings, fetch), guide].map((configured) => ({
      ...configured,
      health: newHealth(deps.now(), configured.kind === "guide" ? "healthy" : "unknown"),
      listed: undefined,
      probedAt: null,
      probe: undefined,
    }));
  }

  async instances(deadlineMs: number): Promise<ProviderInstance[]> {
    await this.#refresh(deadlineMs);
    return this.#entries.map(toInstance);
  }

  async health(): Promise<ProviderHealth[]> {
    await this.#refresh(0);
    return this.#entries.map(toHealth);
  }

  report(instanceId: string, outcome: { ok: true; latencyMs: number } | { ok: false; error: string }): void {
    const entry = this.#entries.find(({ id }) => id === instanceId);
    if (entry && entry.kind !== "guide") entry.health = afterTraffic(entry.health, outcome, this.#deps.now());
  }

  /** Starts what is due; waits only for those never asked before. */
  async #refresh(deadlineMs: number): Promise<void> {
    const now = this.#deps.now().getTime();
    const first: Promise<void>[] = [];
    for (const entry of this.#entries) {
      if (entry.kind === "guide") continue;
      const { probedAt } = entry;
      if (probedAt !== null && now - probedAt < FRESH_MS) continue;
      const work = this.#probe(entry, now);
      if (probedAt === null) first.push(work);
    }
    if (first.length > 0 && deadlineMs > 0) await within(Promise.all(first), deadlineMs);
  }

  /** One probe at a time; one that outlived its own deadline died with the request that ran it. */
  #probe(entry: Entry, now: number): Promise<void> {
    if (entry.probe && now - entry.probe.startedAt < 2 * PROBE_TIMEOUT_MS) return entry.probe.work;
    const probe = { startedAt: now, work: Promise.resolve() };
    probe.work = this.#ask(entry).finally(() => {
      if (entry.probe === probe) entry.probe = undefined;
    });
    entry.probe = probe;
    this.#deps.schedule?.(probe.work);
    return probe.work;
  }

  async #ask(entry: Entry): Promise<void> {
    const started = this.#deps.now().getTime();
    let outcome: ProbeOutcome;
    try {
      const models = await abortAfter(PROBE_TIMEOUT_MS, (signal) => entry.provider.models(signal));
      const asOf = this.#deps.now().toISOString().slice(0, 10);
      // Only facts the vendor itself told are as fresh as its list.
      entry.listed = models.map((model) => (model.source === undefined ? model : { asOf, ...model }));
      outcome = { ok: true, latencyMs: this.#deps.now().getTime() - started };
    } catch (thrown) {
      const failure = thrown instanceof ProviderError ? thrown.failure : undefined;
      const late = failure?.kind === "aborted";
      outcome = {
        ok: false,
        kind: late ? "timeout" : (failure?.kind ?? "protocol"),
        message: late || !failure ? `${entry.displayName} did not list its models in time.` : failure.message,
      };
    }
    const ended = this.#deps.now();
    entry.probedAt = ended.getTime();
    entry.health = afterProbe(entry.health, outcome, ended);
  }
}

/**
 * The providers of the environment's settings, the guide last. Answers come from memory; vendors are asked aside, at
 * most once a minute each.
 */
export const createProviderDirectory = (deps: ProviderDirectoryDeps): ProviderDirectory => new Directory(deps);
