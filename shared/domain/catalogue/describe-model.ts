import type { HealthState, Model, ProviderKind } from "../../contract/model.ts";
import { SEED_MODELS, type SeedModel } from "./seed-models.ts";

/** What a vendor's list may say of a model; whatever it leaves out is filled here. */
export type ListedFacts = Pick<Model, "id"> & Partial<Omit<Model, "id" | "providerId" | "provider" | "health">>;

const DATED = /-(\d{8}|\d{4}-\d{2}-\d{2}|latest)$/;

/** The seeded facts of a model; a dated or `-latest` id counts as its undated one. */
export function seedOf(kind: ProviderKind, id: string): SeedModel | undefined {
  const seeds = SEED_MODELS.filter((seed) => seed.provider === kind);
  return seeds.find((seed) => seed.id === id) ?? seeds.find((seed) => seed.id === id.replace(DATED, ""));
}

/** $5 per million tokens out and less is cheap, $20 and more premium. */
function tierOf(kind: ProviderKind, prices: Model["prices"] | undefined): Model["tier"] {
  if (kind === "ollama" || kind === "guide") return "local";
  if (!prices) return "standard";
  if (prices.outputMicroUsdPerMTok >= 20_000_000) return "premium";
  return prices.outputMicroUsdPerMTok <= 5_000_000 ? "cheap" : "standard";
}

/** A model nobody has described: no promise of size, price, pictures or thinking. */
function unknownFacts(kind: ProviderKind, listed: ListedFacts): SeedModel {
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

/** All facts of one model: the vendor's word first, then the seed, then conservative assumptions. */
export function describeModel(
  kind: ProviderKind,
  listed: ListedFacts,
  instance: { providerId: string; health?: HealthState },
): Model {
  const seed = seedOf(kind, listed.id);
  const told = Object.fromEntries(Object.entries(listed).filter(([, value]) => value !== undefined));
  return {
    ...(seed ?? unknownFacts(kind, listed)),
    ...told,
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
 * Whoever wishes for nothing gets the first. What we know and the vendor lists comes before its newer models nobody has
 * described, those before what only we know, then the rest; within each standard models first, embedding ones last.
 */
export function byPreference(kind: ProviderKind, listed: readonly Model[], unlisted: readonly Model[]): Model[] {
  const seeds = SEED_MODELS.filter((seed) => seed.provider === kind);
  const families = new Set(seeds.map((seed) => familyOf(seed.id)));
  const rank = (model: Model): number => {
    const seed = seedOf(kind, model.id);
    const known = unlisted.includes(model) ? 2 : seed ? 0 : families.has(familyOf(model.id)) ? 1 : 3;
    const position = seed ? seeds.indexOf(seed) : seeds.length;
    return (model.capabilities.embedding ? 1e6 : 0) + known * 1e4 + TIER_ORDER.indexOf(model.tier) * 1e3 + position;
  };
  return [...listed, ...unlisted].toSorted((a, b) => rank(a) - rank(b));
}
