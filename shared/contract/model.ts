import * as z from "zod";
import { Id, Page, Timestamp } from "./primitives.ts";

export const ProviderKind = z.enum([
  "anthropic",
  "openai",
  "openrouter",
  "zai",
  "ollama",
  "openai-compatible",
  "guide",
]);
export type ProviderKind = z.infer<typeof ProviderKind>;

const QUALIFIER = new RegExp(`^(${ProviderKind.options.join("|")}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/`, "i");

/**
 * What a name of a model says: the vendor's id and, where it stands in front with a slash, whose it is: an instance's id
 * or a kind, in small letters. A kept name always has one in front.
 */
export function partsOfModelName(name: string): { provider: string | null; id: string } {
  const provider = QUALIFIER.exec(name)?.[1];
  return provider === undefined
    ? { provider: null, id: name }
    : { provider: provider.toLowerCase(), id: name.slice(provider.length + 1) };
}

export const Tier = z.enum(["premium", "standard", "cheap", "local"]);

export const ModelPrices = z.object({
  inputMicroUsdPerMTok: z.int().nonnegative(),
  outputMicroUsdPerMTok: z.int().nonnegative(),
  cachedInputMicroUsdPerMTok: z.int().nonnegative().optional(),
  /** Dearer from this many input tokens on. */
  steps: z
    .array(
      z.object({
        aboveInputTokens: z.int().positive(),
        inputMicroUsdPerMTok: z.int().nonnegative(),
        outputMicroUsdPerMTok: z.int().nonnegative(),
      }),
    )
    .optional(),
});
export type ModelPrices = z.infer<typeof ModelPrices>;

export const ModelCapabilities = z.object({
  tools: z.boolean(),
  vision: z.boolean(),
  streaming: z.boolean(),
  reasoning: z.boolean(),
  embedding: z.boolean(),
});

export const HealthState = z.enum(["healthy", "degraded", "down", "unknown"]);
export type HealthState = z.infer<typeof HealthState>;

/** What is known of one model at one provider, with its source and date. */
export const Model = z.object({
  providerId: z.string(),
  provider: ProviderKind,
  id: z.string(),
  name: z.string(),
  tier: Tier,
  contextWindow: z.int().nullable(),
  maxOutputTokens: z.int().nullable(),
  prices: ModelPrices.nullable(),
  capabilities: ModelCapabilities,
  aliases: z.array(z.string()),
  health: HealthState,
  source: z.string(),
  asOf: z.string(),
});
export type Model = z.infer<typeof Model>;

/** What answers in one workspace; without it in any of the caller's. */
export const ListModels = Page.extend({ workspaceId: Id.optional() });

export const Health = z.object({
  status: z.enum(["ready", "degraded", "unready"]),
  checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })),
});
export type Health = z.infer<typeof Health>;

export const ProviderHealth = z.object({
  providerId: z.string(),
  kind: ProviderKind,
  displayName: z.string(),
  state: HealthState,
  since: Timestamp,
  latencyMs: z.int().nullable(),
  checkedAt: Timestamp.nullable(),
  lastError: z.string().optional(),
});
export type ProviderHealth = z.infer<typeof ProviderHealth>;
