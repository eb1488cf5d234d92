import type { HealthRecord } from "../domain/providers/health.ts";
import type { ProviderRecord } from "../domain/providers/provider-record.ts";
import type { InstanceStatus, ModelFacts, TurnConfiguration } from "../domain/providers/turn-configuration.ts";

/** Probes that a timer has taken on: nobody else asks them meanwhile. */
export interface ClaimedProbes {
  environmentIds: string[];
  /** With their sealed credentials. */
  stored: ProviderRecord[];
}

/** The mirror of what is known of instances, and the catalogue: what a turn reads instead of asking around. */
export interface StatusStore {
  /**
   * Writes down how an instance fares, unless something newer stands there; `used`: real traffic said so.
   * @returns false where the instance is gone: nothing is kept of it
   */
  saveHealth(providerId: string, health: HealthRecord, by: { used: boolean }): Promise<boolean>;
  /** Writes down what an instance lists; nothing changes where it is the same. */
  saveList(providerId: string, models: readonly ModelFacts[], at: string): Promise<void>;
  /** How instances fare, without what they list. */
  healths(providerIds: readonly string[]): Promise<Pick<InstanceStatus, "providerId" | "health">[]>;
  /** The same with what they list, and the catalogue; what has not changed is the very same as before. */
  facts(providerIds: readonly string[]): Promise<Pick<TurnConfiguration, "status" | "catalogue">>;
  /**
   * Takes on what is due, on nobody's behalf: of these of the environment's, and up to `limit` stored instances that were
   * used after one time, those that were not asked since another; `at` is now (all ISO).
   */
  claimDue(
    environmentIds: readonly string[],
    since: { askedBefore: string; usedAfter: string; at: string },
    limit: number,
  ): Promise<ClaimedProbes>;
}
