import type { HealthState, Model, ProviderKind } from "../../contract/model.ts";
import type { CatalogueModel, ModelFacts } from "../providers/turn-configuration.ts";
import { rowsOf } from "./catalogue-seed.ts";
import { SEED_MODELS, type SeedModel } from "./seed-models.ts";

const DATED = /-(\d{8}|\d{4}-\d{2}-\d{2}|latest)$/;

/** The row of a model among its vendor's; a dated or `-latest` id counts as its undated one. */
export function rowOf(rows: readonly CatalogueModel[], id: string): CatalogueModel | undefined {
  return (
    rows.find((row) => row.id === id) ??
    rows.find((row) => row.id === id.replace(DATED, "")) ??
    rows.find((row) => row.id === `${id}-latest`)
  );
}

/** $5 per million tokens out and less is cheap, $20 and more premium. */
function tierOf(kind: ProviderKind, prices: Model["prices"] | undefined): Model["tier"] {
  if (kind === "ollama" || kind === "guide") return "local";
  if (!prices) return "standard";
  if (prices.outputMicroUsdPerMTok >= 20_000_000) return "premium";
  return prices.outputMicroUsdPerMTok <= 5_000_000 ? "cheap" : "standard";
}

/** A model nobody has described: no promise of size, price, pictures or thinking. */
function unknownFacts(kind: ProviderKind, listed: ModelFacts): SeedModel {
  const hostedByItsMaker = kind === "anthropic" || kind === "openai" || kind === "zai";
  return {
    provider: kind,
    id: listed.id,
    name: listed.id,
    tier: tierOf(kind, listed.prices),
    contextWindow: null,
    maxOutputTokens: null,
    prices: kind === "ollama" ? { inputMicroUsdPerMTok: 0, outputMicroUsdPerMTok: 0 } : null,
    capabilities: { tools: hostedByItsMaker, vision: false, streaming: true, reasoning: false, embedding: false },
    aliases: [],
    source: "unknown model: conservative assumptions",
    asOf: "",
  };
}

const said = <Facts extends object>(facts: Facts): Partial<Facts> =>
  Object.assign({}, ...Object.entries(facts).map(([key, value]) => (value === undefined ? {} : { [key]: value })));

/** All facts of one model: the vendor's word first, then the catalogue's row, then conservative assumptions. */
export function describeModel(
  kind: ProviderKind,
  listed: ModelFacts,
  instance: { providerId: string; health?: HealthState },
  rows: readonly CatalogueModel[] = rowsOf(kind),
): Model {
  const row = rowOf(rows, listed.id);
  const { isRetired: _isRetired, ...known } = row ?? { isRetired: false };
  return {
    ...unknownFacts(kind, listed),
    ...said(known),
    ...said(listed),
    id: listed.id,
    provider: kind,
    providerId: instance.providerId,
    health: instance.health ?? "unknown",
  };
}

const TIER_ORDER: readonly Model["tier"][] = ["standard", "premium", "cheap", "local"];

/** The first word of an id: a vendor's own models share it, whatever else a gateway lists beside them. */
const familyOf = (id: string): string => id.split(/[-/.:]/, 1)[0] ?? id;

/**
 * Whoever wishes for nothing gets the first. What we know by heart and the vendor lists comes before its other models,
 * those before what only we know, then the rest; within each standard models first, embedding ones last.
 */
export function byPreference(
  rows: readonly CatalogueModel[],
  listed: readonly Model[],
  unlisted: readonly Model[],
): Model[] {
  const families = new Set(rows.map((row) => familyOf(row.id)));
  const position = new Map(rows.map((row, index) => [row, index]));
  const rank = (model: Model): number => {
    const row = rowOf(rows, model.id);
    const isByHand = SEED_MODELS.some((seed) => seed.provider === row?.provider && seed.id === row.id);
    const known = unlisted.includes(model) ? 2 : isByHand ? 0 : families.has(familyOf(model.id)) ? 1 : 3;
    const place = (row && position.get(row)) ?? rows.length;
    return (model.capabilities.embedding ? 1e6 : 0) + known * 1e4 + TIER_ORDER.indexOf(model.tier) * 1e3 + place;
  };
  return [...listed, ...unlisted]
    .map((model) => ({ model, at: rank(model) }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ model }) => model);
}
