import type { ProviderHealth } from "../../contract/model.ts";
import {
  afterNews,
  breakerOf,
  type HealthNews,
  healthNow,
  isOutage,
  newHealth,
} from "../../domain/providers/breaker.ts";
import type { HealthRecord } from "../../domain/providers/health.ts";
import { BUILT_IN_IDS, type ProviderRecord } from "../../domain/providers/provider-record.ts";
import type { TurnConfiguration } from "../../domain/providers/turn-configuration.ts";
import type {
  Probed,
  ProviderDirectory,
  ProviderHealthBook,
  ProviderHealthObject,
  ProviderInstance,
  TrafficOutcome,
} from "../../ports/provider-directory.ts";
import type { ClaimedProbes, StatusStore } from "../../ports/status-store.ts";
import type { Timers } from "../../ports/timers.ts";
import { Recent } from "../recent.ts";
import { askForList, PROBE_TIMEOUT_MS } from "./ask-for-list.ts";
import { eachOf } from "./each-of.ts";
import type { StatusMemory } from "./status-memory.ts";

export interface HealthBookDeps {
  directory: ProviderDirectory;
  memory: StatusMemory;
  status: StatusStore;
  /** The breaker's object of an instance. */
  object(providerId: string): ProviderHealthObject;
  /** Keeps what serves the current request alive until the promise settles. */
  background(work: Promise<unknown>): void;
  timers: Pick<Timers, "after">;
  now(): Date;
  probeSeconds: number;
}

type Instance = Pick<ProviderInstance, "id" | "version">;

/** That all is well is told no more often. */
const SUCCESS_EVERY_MS = 30_000;
/** Requests that may wait for their headers at once are few; the turns need some. */
const PROBES_AT_ONCE = 3;
/** As many as a timer takes on at once: should it end before it has asked them, few wait for the next. */
const TAKEN_AT_ONCE = 2 * PROBES_AT_ONCE;
const USED_OF_LATE_MS = 3_600_000;
/** Instances whose last good word is remembered; of those beyond it a good word is told once more. */
const MOST_TOLD = 5_000;
/** How long a page waits for the mirror before memory has to do. */
const MIRROR_PATIENCE_MS = 500;

class HealthBook implements ProviderHealthBook {
  readonly #deps: HealthBookDeps;
  readonly #toldWell = new Recent<number>(MOST_TOLD);
  readonly #probes = new Map<string, { startedAtMs: number; work: Promise<Probed> }>();
  /** When this isolate last asked the environment's. */
  readonly #askedAtMs = new Map<string, number>();

  constructor(deps: HealthBookDeps) {
    this.#deps = deps;
  }

  report(instance: Instance, outcome: TrafficOutcome): void {
    if (instance.id === BUILT_IN_IDS.guide || (!outcome.ok && !isOutage(outcome.kind))) return;
    const nowMs = this.#nowMs();
    if (outcome.ok) {
      const { state } = healthNow(this.#known(instance), instance.version, nowMs);
      const toldAtMs = this.#toldWell.get(instance.id) ?? 0;
      if (state === "healthy" && nowMs - toldAtMs < SUCCESS_EVERY_MS) return;
      this.#toldWell.set(instance.id, nowMs);
    }
    this.#deps.background(this.#tell(instance, { from: "traffic", outcome }));
  }

  trial(instance: Instance): boolean {
    const nowMs = this.#nowMs();
    const breaker = breakerOf(healthNow(this.#known(instance), instance.version, nowMs), nowMs);
    if (breaker === "half-open") this.#deps.background(this.#tell(instance, { from: "trial" }));
    return breaker !== "open";
  }

  /** One at a time for each; one that outlived its own deadline died with the request that ran it. */
  probe(record: ProviderRecord): Promise<Probed> {
    const key = `${record.id}:${record.version}:${record.credential?.version ?? ""}`;
    const startedAtMs = this.#nowMs();
    const running = this.#probes.get(key);
    if (running && startedAtMs - running.startedAtMs < 2 * PROBE_TIMEOUT_MS) return running.work;
    const work = this.#ask(record).finally(() => {
      if (this.#probes.get(key)?.work === work) this.#probes.delete(key);
    });
    this.#probes.set(key, { startedAtMs, work });
    this.#deps.background(work);
    return work;
  }

  async probeDue(forMs: number): Promise<{ probed: number }> {
    const told = { probed: 0 };
    await this.#within(forMs, this.#probeUntil(this.#nowMs() + forMs, told));
    return { ...told };
  }

  /** Takes a few on at a time, so that another timer finds the rest. What hangs ends by itself, a little later. */
  async #probeUntil(endsAtMs: number, told: { probed: number }): Promise<void> {
    while (this.#nowMs() < endsAtMs) {
      const due = await this.#takeDue();
      if (due.length === 0) return;
      told.probed += due.length;
      await eachOf(due, PROBES_AT_ONCE, async (record) => void (await this.probe(record)));
    }
  }

  async #takeDue(): Promise<ProviderRecord[]> {
    const { directory, status, probeSeconds } = this.#deps;
    const nowMs = this.#nowMs();
    // A round that comes a little early is the round all the same.
    const beforeMs = nowMs - probeSeconds * 900;
    const environment = directory
      .environment()
      .filter(({ id }) => (this.#askedAtMs.get(id) ?? Number.NEGATIVE_INFINITY) <= beforeMs);
    const ids = environment.map(({ id }) => id);
    const since = { at: isoOf(nowMs), askedBefore: isoOf(beforeMs), usedAfter: isoOf(nowMs - USED_OF_LATE_MS) };
    const claimed = await status
      .claimDue(ids, since, TAKEN_AT_ONCE)
      // Without a database this isolate is the only one that it knows of.
      .catch((): ClaimedProbes => ({ environmentIds: ids, stored: [] }));
    // Also those that somebody else asks now: nobody looks at them again before they are due.
    for (const id of ids) this.#askedAtMs.set(id, nowMs);
    return [...environment.filter(({ id }) => claimed.environmentIds.includes(id)), ...claimed.stored];
  }

  async firstLook(configuration: TurnConfiguration | null, deadlineMs: number): Promise<void> {
    const { directory, memory } = this.#deps;
    const records = [...(configuration?.providers ?? []), ...directory.environment()];
    const unseen = directory
      .instances(configuration)
      .filter(({ id, kind, models }) => kind !== "guide" && models.length === 0 && !memory.health(id)?.checkedAtMs)
      .flatMap(({ id }) => records.find((record) => record.id === id) ?? []);
    if (unseen.length > 0) await this.#within(deadlineMs, Promise.all(unseen.map((record) => this.probe(record))));
  }

  async of(records: readonly ProviderRecord[]): Promise<ProviderHealth[]> {
    await this.#within(MIRROR_PATIENCE_MS, this.#hearMirror(records));
    const oldMs = this.#nowMs() - Math.max(60, this.#deps.probeSeconds) * 1_000;
    const healths = records.map((record) => this.#describe(record));
    for (const [index, record] of records.entries()) {
      const checkedAt = healths[index]?.checkedAt;
      if (record.isEnabled && (!checkedAt || Date.parse(checkedAt) < oldMs)) void this.probe(record);
    }
    return healths;
  }

  async forget(providerIds: readonly string[]): Promise<void> {
    const { object } = this.#deps;
    await eachOf(providerIds, PROBES_AT_ONCE, (id) => object(id).forget().catch(notForgotten));
  }

  #describe(record: ProviderRecord): ProviderHealth {
    const { id, kind, displayName, version } = record;
    const health = healthNow(this.#known(record), version, this.#nowMs());
    return {
      providerId: id,
      kind,
      displayName,
      state: health.state,
      since: new Date(health.sinceMs).toISOString(),
      latencyMs: health.latencyMs === null ? null : Math.round(health.latencyMs),
      checkedAt: health.checkedAtMs === null ? null : new Date(health.checkedAtMs).toISOString(),
      ...(health.lastError === null ? {} : { lastError: health.lastError }),
    };
  }

  async #ask(record: ProviderRecord): Promise<Probed> {
    const { memory, status, directory, now } = this.#deps;
    const { outcome, models } = await askForList(record.displayName, directory.open(record), now);
    if (models) {
      memory.keepList(record.id, models);
      await status.saveList(record.id, models, now().toISOString()).catch(notMirrored);
    }
    await this.#tell(record, { from: "probe", outcome });
    return outcome.ok
      ? { ok: true, latencyMs: Math.round(outcome.latencyMs), models: models ?? [], error: null }
      : { ok: false, latencyMs: 0, models: [], error: outcome.error };
  }

  /** Counts here at once; then everywhere, by way of the breaker's object and the mirror. Never throws. */
  async #tell(instance: Instance, news: HealthNews): Promise<void> {
    const { memory, object, status } = this.#deps;
    const { id, version } = instance;
    const before = this.#known(instance);
    const here = afterNews(before, version, news, this.#nowMs());
    memory.learn(id, here);
    try {
      const health = await object(id).learn(before, version, news);
      memory.learn(id, health);
      const isThere = await status.saveHealth(id, health, { used: news.from === "traffic" });
      // News of an instance that ended meanwhile must not outlive it.
      if (!isThere) await object(id).forget();
    } catch (error) {
      notMirrored(error);
    }
  }

  async #hearMirror(records: readonly ProviderRecord[]): Promise<void> {
    const { status, memory } = this.#deps;
    if (records.length === 0) return;
    const healths = await status.healths(records.map(({ id }) => id)).catch(() => []);
    for (const { providerId, health } of healths) memory.learn(providerId, health);
  }

  #known({ id, version }: Instance): HealthRecord {
    return this.#deps.memory.health(id) ?? newHealth(this.#nowMs(), version);
  }

  #nowMs(): number {
    return this.#deps.now().getTime();
  }

  async #within(deadlineMs: number, work: Promise<unknown>): Promise<void> {
    let late: { cancel(): void } | undefined;
    const deadline = new Promise<void>((resolve) => {
      late = this.#deps.timers.after(deadlineMs, resolve);
    });
    await Promise.race([work, deadline]);
    late?.cancel();
  }
}

const isoOf = (ms: number): string => new Date(ms).toISOString();

function notForgotten(error: unknown): void {
  console.warn("A provider's health was not forgotten:", error instanceof Error ? error.name : "unknown");
}

/** The next news brings it; until then this isolate knows more than the others. */
function notMirrored(error: unknown): void {
  console.warn("How a provider fares could not be written down:", error instanceof Error ? error.name : "unknown");
}

/** How providers fare, as this isolate knows it and tells the others. */
export const createHealthBook = (deps: HealthBookDeps): ProviderHealthBook => new HealthBook(deps);
