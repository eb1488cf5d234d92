import type { HealthState, Model, ProviderHealth, ProviderKind } from "../contract/model.ts";
import type { ModelProvider } from "./model-provider.ts";

/** A configured provider: vendor, address and credential. */
export interface ProviderInstance {
  id: string;
  kind: ProviderKind;
  displayName: string;
  health: HealthState;
  /** Models in order of preference; the first is what "no wish" gets. Empty: the vendor could not be asked yet. */
  models: Model[];
  provider: ModelProvider;
}

/** Which providers there are and how they fare. Reads are from memory; asking the vendors happens aside. */
export interface ProviderDirectory {
  /**
   * All instances, the guide last, with health no older than the probe interval where the vendor answers in time.
   * Waits for a first probe at most `deadlineMs`.
   */
  instances(deadlineMs: number): Promise<ProviderInstance[]>;
  health(): Promise<ProviderHealth[]>;
  /** Real traffic's word on an instance; a success or failure counts at once. */
  report(instanceId: string, outcome: { ok: true; latencyMs: number } | { ok: false; error: string }): void;
}
