/** Searching and sorting the capability matrix. Pure. */
import { HEALTH_WORDS, healthRank } from "../../../../../shared/client/provider-words.ts";
import { type Model, Tier } from "../../../../../shared/contract/model.ts";

export type Column = "name" | "provider" | "tier" | "window" | "price" | "health";

export interface Order {
  by: Column;
  descending: boolean;
}

const CAPABILITIES = ["tools", "vision", "reasoning", "embedding", "streaming"] as const;
export type Capability = (typeof CAPABILITIES)[number];

export const capabilitiesOf = ({ capabilities }: Model): Capability[] =>
  CAPABILITIES.filter((name) => capabilities[name]);

/** Everything that a word of a search may mean. */
const wordsOf = (model: Model, providerName: string): string =>
  [
    ...[model.name, model.id, model.provider, providerName, model.tier, HEALTH_WORDS[model.health]],
    ...[...model.aliases, ...capabilitiesOf(model), ...(isFree(model) ? ["free"] : [])],
  ]
    .join(" ")
    .toLowerCase();

export const isFree = ({ prices, tier }: Model): boolean =>
  prices === null ? tier === "local" : prices.inputMicroUsdPerMTok === 0 && prices.outputMicroUsdPerMTok === 0;

/** The models in which every word of the search is found. */
export function matching(models: readonly Model[], search: string, providerName: (model: Model) => string): Model[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return models.filter((model) => {
    const text = wordsOf(model, providerName(model));
    return words.every((word) => text.includes(word));
  });
}

/** What a column compares; null stands last whichever way it goes. */
function comparable(model: Model, by: Column, providerName: (model: Model) => string): string | number | null {
  switch (by) {
    case "name":
      return model.name.toLowerCase();
    case "provider":
      return providerName(model).toLowerCase();
    case "tier":
      return Tier.options.indexOf(model.tier);
    case "window":
      return model.contextWindow;
    case "price":
      return isFree(model) ? 0 : (model.prices?.outputMicroUsdPerMTok ?? null);
    case "health":
      return healthRank(model.health);
  }
}

function compare(a: string | number, b: string | number): number {
  if (typeof a === "string" && typeof b === "string") return a.localeCompare(b, "en", { numeric: true });
  return Number(a) - Number(b);
}

export function sorted(models: readonly Model[], order: Order, providerName: (model: Model) => string): Model[] {
  const sign = order.descending ? -1 : 1;
  return models
    .map((model) => ({ model, value: comparable(model, order.by, providerName) }))
    .toSorted((a, b) => {
      if (a.value === null || b.value === null) return Number(a.value === null) - Number(b.value === null);
      return sign * compare(a.value, b.value) || a.model.name.localeCompare(b.model.name, "en", { numeric: true });
    })
    .map(({ model }) => model);
}

/** `200k`, `1.05M`, as vendors write windows. */
export function formatWindow(tokens: number): string {
  if (tokens >= 1_000_000) return `${Number((tokens / 1_000_000).toFixed(2))}M`;
  return tokens >= 1000 ? `${Math.round(tokens / 1000)}k` : String(tokens);
}
