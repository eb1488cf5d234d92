import type { WorkspaceSettings } from "../../contract/account.ts";
import type { Model } from "../../contract/model.ts";
import type { HealthRecord } from "./health.ts";
import type { ProviderRecord } from "./provider-record.ts";

/** What a vendor's list, or the catalogue, may say of a model. */
export type ModelFacts = Pick<Model, "id"> & Partial<Omit<Model, "id" | "providerId" | "provider" | "health">>;

/** What is known of an instance beside its record: how it fares, and what it lists. */
export interface InstanceStatus {
  providerId: string;
  health: HealthRecord;
  /** Null: it was never asked. */
  listed: ModelFacts[] | null;
  /** Only a part of an earlier list is here, as an object kept it. */
  isPart?: true;
}

/** A row of the catalogue: the facts of one model of one vendor, whoever serves it. */
export type CatalogueModel = ModelFacts & { provider: Model["provider"]; isRetired: boolean };

/** Everything a turn must know about settings, in one batched read. */
export interface TurnConfiguration {
  workspace: Pick<WorkspaceSettings, "defaultModel" | "defaultProviderId" | "settings">;
  /** Stored instances that may answer whoever asked. */
  providers: ProviderRecord[];
  /** Of those and of the environment's. */
  status: InstanceStatus[];
  catalogue: CatalogueModel[];
}
