import type { Model } from "../../contract/model.ts";
import { describeModel } from "../../domain/catalogue/describe-model.ts";
import { modelsOf } from "../../domain/catalogue/models-of.ts";
import { breakerOf, healthNow, newHealth } from "../../domain/providers/breaker.ts";
import type { HealthRecord } from "../../domain/providers/health.ts";
import { BUILT_IN_IDS, type ProviderRecord } from "../../domain/providers/provider-record.ts";
import type { CatalogueModel, ModelFacts, TurnConfiguration } from "../../domain/providers/turn-configuration.ts";
import type { ModelProvider } from "../../ports/model-provider.ts";
import type { ProviderDirectory, ProviderInstance } from "../../ports/provider-directory.ts";
import { createGuideProvider } from "./guide/guide-provider.ts";
import type { StatusMemory } from "./status-memory.ts";

export interface ProviderDirectoryDeps {
  /** In order of preference. */
  environment: readonly ProviderRecord[];
  /** A new adapter for a record; cheap, and without its secret. */
  open(record: ProviderRecord): ModelProvider;
  memory: StatusMemory;
  now(): Date;
}

/** Instances whose adapter and models are kept at hand. */
const MAX_KEPT = 1_000;
const NO_CATALOGUE: readonly CatalogueModel[] = [];

interface Described {
  listed: ModelFacts[] | null;
  catalogue: readonly CatalogueModel[];
  health: Model["health"];
  models: Model[];
}

interface Kept {
  /** What the adapter was made from: another version of the record or of its secret gets another one. */
  made: string;
  provider: ModelProvider;
  described: Described | null;
}

const SCOPES = ["user", "workspace", "system"] as const;

/** The user's own first, then the workspace's, the system's, the environment's; within each the default first. */
function byPreference(stored: readonly ProviderRecord[], environment: readonly ProviderRecord[]): ProviderRecord[] {
  const rank = (record: ProviderRecord): number => SCOPES.indexOf(record.scope) * 2 + (record.isDefault ? 0 : 1);
  const enabled = stored.filter((record) => record.isEnabled);
  return [...enabled.toSorted((a, b) => rank(a) - rank(b)), ...environment];
}

class Directory implements ProviderDirectory {
  readonly #deps: ProviderDirectoryDeps;
  readonly #kept = new Map<string, Kept>();
  readonly #guide: ProviderInstance;

  constructor(deps: ProviderDirectoryDeps) {
    this.#deps = deps;
    const id = BUILT_IN_IDS.guide;
    this.#guide = {
      id,
      version: 1,
      kind: "guide",
      displayName: "Built-in guide",
      health: "healthy",
      breaker: "closed",
      trouble: null,
      isDefault: false,
      isPersonal: false,
      models: [describeModel("guide", { id: "guide" }, { providerId: id, health: "healthy" })],
      provider: createGuideProvider(),
    };
  }

  environment(): readonly ProviderRecord[] {
    return this.#deps.environment;
  }

  instances(configuration: TurnConfiguration | null): ProviderInstance[] {
    for (const status of configuration?.status ?? []) this.#deps.memory.hear(status);
    const catalogue = configuration?.catalogue ?? NO_CATALOGUE;
    const records = byPreference(configuration?.providers ?? [], this.#deps.environment);
    return [...records.map((record) => this.#instance(record, catalogue)), this.#guide];
  }

  open(record: ProviderRecord): ModelProvider {
    return this.#keep(record).provider;
  }

  #instance(record: ProviderRecord, catalogue: readonly CatalogueModel[]): ProviderInstance {
    const nowMs = this.#deps.now().getTime();
    const health = healthNow(this.#deps.memory.health(record.id) ?? newHealth(nowMs), record.version, nowMs);
    const kept = this.#keep(record);
    return {
      id: record.id,
      version: record.version,
      kind: record.kind,
      displayName: record.displayName,
      health: health.state,
      breaker: breakerOf(health, nowMs),
      trouble: troubleOf(health),
      isDefault: record.isDefault,
      isPersonal: record.scope === "user",
      models: this.#models(record, kept, catalogue, health.state),
      provider: kept.provider,
    };
  }

  /** Described once for each list and catalogue: a gateway has hundreds of them, and every turn looks. */
  #models(
    { id, kind }: ProviderRecord,
    kept: Kept,
    catalogue: readonly CatalogueModel[],
    health: Model["health"],
  ): Model[] {
    const listed = this.#deps.memory.listed(id);
    const { described } = kept;
    const isSame = described?.listed === listed && described.catalogue === catalogue && described.health === health;
    if (isSame) return described.models;
    const models = modelsOf(kind, { listed, catalogue, providerId: id, health });
    kept.described = { listed, catalogue, health, models };
    return models;
  }

  #keep(record: ProviderRecord): Kept {
    const made = `${record.version}:${record.credential?.id ?? ""}:${record.credential?.version ?? ""}`;
    const before = this.#kept.get(record.id);
    const kept = before?.made === made ? before : { made, provider: this.#deps.open(record), described: null };
    this.#kept.delete(record.id);
    this.#kept.set(record.id, kept);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_KEPT && oldest !== undefined) this.#kept.delete(oldest);
    return kept;
  }
}

function troubleOf({ state, sinceMs, lastError, failures }: HealthRecord): ProviderInstance["trouble"] {
  if (state === "healthy" || lastError === null) return null;
  return { since: new Date(sinceMs).toISOString(), error: lastError, failures };
}

/** The environment's instances, those of a configuration, and the guide. Answers from memory; asks nobody. */
export const createProviderDirectory = (deps: ProviderDirectoryDeps): ProviderDirectory => new Directory(deps);
