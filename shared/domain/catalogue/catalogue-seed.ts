import type { ProviderKind } from "../../contract/model.ts";
import type { CatalogueModel } from "../providers/turn-configuration.ts";
import { PRICED_MODELS } from "./priced-models.gen.ts";
import { type CatalogueRow, SEED_MODELS } from "./seed-models.ts";

const keyOf = ({ provider, id }: Pick<CatalogueModel, "provider" | "id">): string => `${provider}/${id}`;
const byHand = new Set(SEED_MODELS.map(keyOf));

/** What the catalogue is filled with: facts checked by hand, in order of preference, then those of the price package. */
export const catalogueSeed: readonly CatalogueRow[] = [
  ...SEED_MODELS.map((model) => ({ ...model, isRetired: false })),
  ...PRICED_MODELS.filter((row) => !byHand.has(keyOf(row))),
];

/** One vendor's rows: the catalogue's word, and the seed's where that has none. */
export function rowsOf(kind: ProviderKind, catalogue: readonly CatalogueModel[] = []): readonly CatalogueModel[] {
  const known = new Set(catalogue.map(keyOf));
  return [...catalogue, ...catalogueSeed.filter((row) => !known.has(keyOf(row)))].filter(
    ({ provider }) => provider === kind,
  );
}
