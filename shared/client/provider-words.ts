/** What people read of providers: the same in the page and in the terminal. */
import type { HealthState, ProviderKind } from "../contract/model.ts";
import type { ConnectableKind } from "../contract/provider.ts";

export interface KindWords {
  name: string;
  /** What it is, in a few words. */
  what: string;
  /** Where its keys are made; null where there is no such page. */
  keyPage: string | null;
  key: "needed" | "optional" | "none";
}

export const KIND_WORDS: Record<ConnectableKind, KindWords> = {
  anthropic: {
    name: "Anthropic",
    what: "Claude, with an API key",
    keyPage: "https://console.anthropic.com/settings/keys",
    key: "needed",
  },
  openai: {
    name: "OpenAI",
    what: "GPT, with an API key",
    keyPage: "https://platform.openai.com/api-keys",
    key: "needed",
  },
  openrouter: {
    name: "OpenRouter",
    what: "Hundreds of models with one account",
    keyPage: "https://openrouter.ai/settings/keys",
    key: "needed",
  },
  zai: {
    name: "Z.ai",
    what: "GLM, with an API key",
    keyPage: "https://z.ai/manage-apikey/apikey-list",
    key: "needed",
  },
  ollama: { name: "Ollama", what: "Models on a machine of yours", keyPage: null, key: "none" },
  "openai-compatible": {
    name: "OpenAI-compatible",
    what: "vLLM, LM Studio, llama.cpp, LiteLLM and others",
    keyPage: null,
    key: "optional",
  },
};

export const kindName = (kind: ProviderKind): string => (kind === "guide" ? "Guide" : KIND_WORDS[kind].name);

export const HEALTH_WORDS: Record<HealthState, string> = {
  healthy: "Working",
  degraded: "Having trouble",
  down: "Not reachable",
  unknown: "Not checked yet",
};

/** From good to bad; what nobody checked stands before what surely fails. */
const HEALTH_ORDER: readonly HealthState[] = ["healthy", "unknown", "degraded", "down"];

export const healthRank = (state: HealthState): number => HEALTH_ORDER.indexOf(state);

/** `$3` for 3,000,000 micro-dollars per million tokens; two digits where there are cents, more where there is less than one. */
export function pricePerMTok(microUsdPerMTok: number): string {
  const usd = microUsdPerMTok / 1_000_000;
  if (Number.isInteger(usd)) return `$${usd}`;
  return usd >= 0.01 ? `$${usd.toFixed(2)}` : `$${Number(usd.toPrecision(2))}`;
}
