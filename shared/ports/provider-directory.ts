import type { HealthState, Model, ProviderHealth, ProviderKind } from "../contract/model.ts";
import type { HealthNews, TrafficOutcome } from "../domain/providers/breaker.ts";
import type { HealthRecord } from "../domain/providers/health.ts";
import type { ProviderRecord } from "../domain/providers/provider-record.ts";
import type { TurnConfiguration } from "../domain/providers/turn-configuration.ts";
import type { ListedModel, ModelProvider } from "./model-provider.ts";

export type { TrafficOutcome } from "../domain/providers/breaker.ts";

/** A configured provider as a turn may use it: vendor, address, credential, what is known of its models. */
export interface ProviderInstance {
  id: string;
  /** Of its record: what is reported of it counts for that version only. */
  version: number;
  kind: ProviderKind;
  displayName: string;
  health: HealthState;
  /** Half open: somebody may be sent there to see whether it is well again, once `health.trial` says yes. */
  breaker: "closed" | "half-open" | "open";
  /** Since when it is so, why in one sentence, and after how many failures in a row. */
  trouble: { since: string; error: string; failures: number } | null;
  /** The one that its scope prefers. */
  isDefault: boolean;
  /** Somebody's own: what is told of it to others stays with its vendor. */
  isPersonal: boolean;
  /** Models in order of preference; the first is what "no wish" gets. Empty: the vendor could not be asked yet. */
  models: Model[];
  provider: ModelProvider;
}

export interface Probed {
  ok: boolean;
  latencyMs: number;
  models: ListedModel[];
  /** One sentence with what to do. */
  error: string | null;
}

/** Which providers there are, and how to ask them. */
export interface ProviderDirectory {
  /** What the operator's environment configures; read-only. */
  environment(): readonly ProviderRecord[];
  /**
   * Everything that a turn under this configuration may use, in order of preference: the user's own, the workspace's,
   * the system's, within each the default first, the guide last. From memory: asks nobody.
   */
  instances(configuration: TurnConfiguration | null): ProviderInstance[];
  /** The adapter of one record, as it is: also of one that is not saved yet. */
  open(record: ProviderRecord): ModelProvider;
}

/** How providers fare. */
export interface ProviderHealthBook {
  /** Real traffic's word on an instance. Returns at once; the breaker hears of it aside. */
  report(instance: Pick<ProviderInstance, "id" | "version">, outcome: TrafficOutcome): void;
  /** Whether the caller may try an instance whose breaker is half open: one at a time may. */
  trial(instance: Pick<ProviderInstance, "id" | "version">): boolean;
  /** Asks an instance for its models, now, and keeps what it says. Never throws. */
  probe(record: ProviderRecord): Promise<Probed>;
  /**
   * Probes what is due: the environment's, and those that somebody used of late, for at most so many milliseconds. What
   * another timer has taken on is not asked again. For the timer. Never throws.
   */
  probeDue(forMs: number): Promise<{ probed: number }>;
  /** Asks those that nobody ever asked and no model is known of, and waits for them that long at most. Never throws. */
  firstLook(configuration: TurnConfiguration | null, deadlineMs: number): Promise<void>;
  /** As of the last probes and of real traffic, of these; what is old is asked anew aside. Never throws. */
  of(records: readonly ProviderRecord[]): Promise<ProviderHealth[]>;
  /** Instances that are gone: nothing of how they fared is kept. Never throws. */
  forget(providerIds: readonly string[]): Promise<void>;
}

/** Where the breaker of one instance is kept, whichever isolate it is told in. */
export interface ProviderHealthObject {
  /**
   * Takes news, on top of the newest of what it knows and what the teller knew before.
   * @returns how the instance fares now
   */
  learn(known: HealthRecord, ofVersion: number, news: HealthNews): Promise<HealthRecord>;
  /** The instance is gone: empties its storage. Repeating it changes nothing. */
  forget(): Promise<void>;
}
