import type { HealthRecord } from "../domain/providers/health.ts";
import type { ProviderRecord } from "../domain/providers/provider-record.ts";
import type { CatalogueModel, InstanceStatus, ModelFacts } from "../domain/providers/turn-configuration.ts";

/** The mirror of what is known of instances, and the catalogue: what a turn reads instead of asking around. */
export interface StatusStore {
  /** Writes down how an instance fares, unless something newer stands there; `used`: real traffic said so. */
  saveHealth(providerId: string, health: HealthRecord, by: { used: boolean }): Promise<void>;
  /** Writes down what an instance lists; nothing changes where it is the same. */
  saveList(providerId: string, models: readonly ModelFacts[], at: string): Promise<void>;
  statuses(providerIds: readonly string[]): Promise<InstanceStatus[]>;
  /**
   * Stored instances that were used after one time and not asked since another (both ISO), with their sealed
   * credentials; on nobody's behalf.
   */
  due(since: { askedBefore: string; usedAfter: string }, limit: number): Promise<ProviderRecord[]>;
  catalogue(): Promise<CatalogueModel[]>;
}
