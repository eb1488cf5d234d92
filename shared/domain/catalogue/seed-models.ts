/** Facts known before any vendor is asked, checked by hand. Data only: models' names stand here and in generated rows alone. */
import type { Model, ProviderKind } from "../../contract/model.ts";

export type SeedModel = Omit<Model, "providerId" | "health">;
/** A row of the catalogue with nothing left open. */
export type CatalogueRow = SeedModel & { isRetired: boolean };

const AS_OF = "2026-11-21";
const hosted = { tools: true, vision: true, streaming: true, reasoning: true, embedding: false };

interface Row
  extends Pick<SeedModel, "id" | "name" | "tier" | "contextWindow" | "maxOutputTokens" | "prices" | "source"> {
  aliases?: string[];
  capabilities?: Partial<Model["capabilities"]>;
}

const rows = (provider: ProviderKind, models: Row[]): SeedModel[] =>
  models.map(({ aliases = [], capabilities, ...model }) => ({
    ...model,
    provider,
    aliases,
    capabilities: { ...hosted, ...capabilities },
    asOf: AS_OF,
  }));

/** In order of preference within a tier. */
export const SEED_MODELS: readonly SeedModel[] = [
  ...rows("anthropic", [
    {
      id: "claude-sonnet-4-6",
      name: "Claude Sonnet 4.6",
      tier: "standard",
      contextWindow: 1_000_000,
      maxOutputTokens: 64_000,
      prices: {
        inputMicroUsdPerMTok: 3_000_000,
        outputMicroUsdPerMTok: 15_000_000,
        cachedInputMicroUsdPerMTok: 300_000,
      },
      aliases: ["sonnet", "claude"],
      source: "Anthropic documentation",
    },
    {
      id: "claude-opus-4-6",
      name: "Claude Opus 4.6",
      tier: "premium",
      contextWindow: 1_000_000,
      maxOutputTokens: 128_000,
      prices: {
        inputMicroUsdPerMTok: 5_000_000,
        outputMicroUsdPerMTok: 25_000_000,
        cachedInputMicroUsdPerMTok: 500_000,
      },
      aliases: ["opus"],
      source: "Anthropic documentation",
    },
    {
      id: "claude-haiku-4-5",
      name: "Claude Haiku 4.5",
      tier: "cheap",
      contextWindow: 200_000,
      maxOutputTokens: 64_000,
      prices: {
        inputMicroUsdPerMTok: 1_000_000,
        outputMicroUsdPerMTok: 5_000_000,
        cachedInputMicroUsdPerMTok: 100_000,
      },
      aliases: ["haiku"],
      source: "Anthropic documentation",
    },
  ]),
  ...rows("openai", [
    {
      id: "gpt-5.4",
      name: "GPT-5.4",
      tier: "standard",
      contextWindow: 1_050_000,
      maxOutputTokens: 128_000,
      prices: {
        inputMicroUsdPerMTok: 2_500_000,
        outputMicroUsdPerMTok: 15_000_000,
        cachedInputMicroUsdPerMTok: 250_000,
        steps: [{ aboveInputTokens: 272_000, inputMicroUsdPerMTok: 5_000_000, outputMicroUsdPerMTok: 22_500_000 }],
      },
      aliases: ["gpt"],
      source: "OpenAI documentation",
    },
  ]),
  ...rows("openrouter", [
    {
      id: "openrouter/auto",
      name: "OpenRouter Auto",
      tier: "standard",
      contextWindow: null,
      maxOutputTokens: null,
      prices: null,
      capabilities: { reasoning: false, vision: false },
      source: "OpenRouter documentation; the cost comes with each answer",
    },
  ]),
  ...rows("zai", [
    {
      id: "glm-5",
      name: "GLM-5",
      tier: "standard",
      contextWindow: 200_000,
      maxOutputTokens: 131_072,
      prices: {
        inputMicroUsdPerMTok: 1_000_000,
        outputMicroUsdPerMTok: 3_200_000,
        cachedInputMicroUsdPerMTok: 200_000,
      },
      capabilities: { vision: false },
      aliases: ["glm"],
      source: "Z.ai documentation",
    },
  ]),
  ...rows("guide", [
    {
      id: "guide",
      name: "Built-in guide (not a language model)",
      tier: "local",
      contextWindow: null,
      maxOutputTokens: null,
      prices: { inputMicroUsdPerMTok: 0, outputMicroUsdPerMTok: 0 },
      capabilities: { tools: false, vision: false, reasoning: false },
      source: "built in",
    },
  ]),
];
