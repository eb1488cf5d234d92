import type { HealthState, Model, ProviderKind } from "../../contract/model.ts";
import type { CatalogueModel, ModelFacts } from "../providers/turn-configuration.ts";
import { rowsOf } from "./catalogue-seed.ts";
import { byPreference, describeModel, rowOf } from "./describe-model.ts";
import { SEED_MODELS } from "./seed-models.ts";

export interface InstanceFacts {
  providerId: string;
  health: HealthState;
  /** What the vendor lists; null: it was never asked. */
  listed: readonly ModelFacts[] | null;
  /** Rows of all vendors. */
  catalogue: readonly CatalogueModel[];
}

/**
 * The models of one instance, best first: what its vendor lists, and what we know by heart beside that, unproven,
 * because lists may be short. A model that the catalogue calls retired is not offered, whoever still lists it.
 */
export function modelsOf(kind: ProviderKind, { providerId, health, listed, catalogue }: InstanceFacts): Model[] {
  const rows = rowsOf(kind, catalogue);
  const offered = (listed ?? []).filter(({ id }) => !rowOf(rows, id)?.isRetired);
  const known = new Set(offered.map(({ id }) => rowOf(rows, id)));
  const beside = rows.filter(
    (row) =>
      !row.isRetired && !known.has(row) && SEED_MODELS.some(({ provider, id }) => provider === kind && id === row.id),
  );
  const unproven = { providerId, health: listed === null ? health : ("unknown" as const) };
  return byPreference(
    rows,
    offered.map((model) => describeModel(kind, model, { providerId, health }, rows)),
    beside.map(({ id }) => describeModel(kind, { id }, unproven, rows)),
  );
}
