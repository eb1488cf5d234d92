/**
 * Writes `shared/domain/catalogue/priced-models.gen.ts` from the package that keeps prices and context windows. What the
 * package does not know (what a model can do, how much it writes) is told by its family's name. Run by hand when the
 * package is updated: `node scripts/build-catalogue.ts`.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { findProvider, type ModelInfo } from "@pydantic/genai-prices";
import * as z from "zod";

const OUTPUT = "shared/domain/catalogue/priced-models.gen.ts";
const PACKAGE = "@pydantic/genai-prices";

type Vendor = "anthropic" | "openai" | "zai";

interface Abilities {
  tools: boolean;
  vision: boolean;
  reasoning: boolean;
  embedding: boolean;
}

/** What cannot hold a conversation, is a tuned copy, or has been switched off for years. */
const LEFT_OUT =
  /^(ada|babbage|curie|davinci|text-davinci|ft:|moderation|whisper|claude-(2|v1)|gpt-3\.5|gpt-4-32k|gpt-4-vision)|audio|realtime|transcribe|tts|image|instruct|computer-use|\.ft-|:extended|deep-research/;

const SMALL_WRITERS = /^claude-(3|opus-4-[01])/;

function abilitiesOf(vendor: Vendor, id: string): Abilities {
  if (id.startsWith("text-embedding")) return { tools: false, vision: false, reasoning: false, embedding: true };
  const embedding = false;
  if (vendor === "anthropic")
    return { tools: true, vision: true, reasoning: !/^claude-3-(5|haiku|opus|sonnet)/.test(id), embedding };
  if (vendor === "zai") return { tools: true, vision: /v-/.test(id), reasoning: true, embedding };
  const isChat = /chat/.test(id);
  return {
    tools: !/^(o1-(mini|preview)|chatgpt|gpt-4$)/.test(id),
    vision: /^(chatgpt-4o|gpt-4o|gpt-4\.|gpt-4-turbo|gpt-[5-9]|o1$|o1-pro|o3$|o3-pro|o4)/.test(id),
    reasoning: /^(o\d|gpt-[5-9]|gpt-oss|codex)/.test(id) && !isChat,
    embedding,
  };
}

function maxOutputOf(vendor: Vendor, id: string): number | null {
  if (vendor !== "anthropic") return null;
  return SMALL_WRITERS.test(id) ? null : 64_000;
}

const Price = z.union([
  z.number(),
  z.object({ base: z.number(), tiers: z.array(z.object({ start: z.int(), price: z.number() })) }),
]);
type Price = z.infer<typeof Price>;
const Prices = z.object({
  input_mtok: Price.optional(),
  output_mtok: Price.optional(),
  cache_read_mtok: Price.optional(),
});
const Constraint = z.object({ type: z.literal("start_date"), start_date: z.string() });

const micro = (usd: number): number => Math.round(usd * 1_000_000);
const baseOf = (price: Price): number => micro(typeof price === "number" ? price : price.base);
const tiersOf = (price: Price) => (typeof price === "number" ? [] : price.tiers);

/** The prices that hold today: of several, the last that has begun. */
function pricesOf(prices: ModelInfo["prices"], today: string): z.infer<typeof Prices> {
  if (!Array.isArray(prices)) return Prices.parse(prices);
  const begun = prices.filter(({ constraint }) => {
    const dated = Constraint.safeParse(constraint);
    return constraint === undefined || (dated.success && dated.data.start_date <= today);
  });
  return Prices.parse(begun.at(-1)?.prices ?? {});
}

function contractPrices(prices: z.infer<typeof Prices>, isEmbedding: boolean) {
  const { input_mtok: input, output_mtok: output, cache_read_mtok: cached } = prices;
  if (input === undefined || (output === undefined && !isEmbedding)) return null;
  const written: Price = output ?? 0;
  const steps = tiersOf(input).map((tier) => ({
    aboveInputTokens: tier.start,
    inputMicroUsdPerMTok: micro(tier.price),
    outputMicroUsdPerMTok:
      micro(tiersOf(written).find(({ start }) => start === tier.start)?.price ?? 0) || baseOf(written),
  }));
  return {
    inputMicroUsdPerMTok: baseOf(input),
    outputMicroUsdPerMTok: baseOf(written),
    ...(cached === undefined ? {} : { cachedInputMicroUsdPerMTok: baseOf(cached) }),
    ...(steps.length > 0 ? { steps } : {}),
  };
}

function tierOf(prices: ReturnType<typeof contractPrices>): string {
  if (!prices) return "standard";
  if (prices.outputMicroUsdPerMTok >= 20_000_000) return "premium";
  return prices.outputMicroUsdPerMTok <= 5_000_000 ? "cheap" : "standard";
}

function rowsOf(vendor: Vendor, source: string, asOf: string) {
  const models = findProvider({ providerId: vendor })?.models ?? [];
  return models
    .map((model) => ({ ...model, id: vendor === "zai" ? model.id.toLowerCase() : model.id }))
    .filter(({ id }) => !LEFT_OUT.test(id))
    .map((model) => {
      const { id } = model;
      const abilities = abilitiesOf(vendor, id);
      const prices = contractPrices(pricesOf(model.prices, asOf), abilities.embedding);
      return {
        provider: vendor,
        id,
        name: model.name ?? id,
        tier: tierOf(prices),
        contextWindow: model.context_window ?? null,
        maxOutputTokens: maxOutputOf(vendor, id),
        prices,
        capabilities: { ...abilities, streaming: !abilities.embedding },
        aliases: [],
        source,
        asOf,
        isRetired: model.deprecated ?? false,
      };
    });
}

const Manifest = z.object({ devDependencies: z.record(z.string(), z.string()) });
/** When this version of the package was published. */
const PUBLISHED: Readonly<Record<string, string>> = { "0.1.8": "2026-09-23" };

/** The generated file's text, from the package as it is installed. */
function catalogueContent(): string {
  const version = Manifest.parse(JSON.parse(readFileSync("package.json", "utf8"))).devDependencies[PACKAGE] ?? "";
  const asOf = PUBLISHED[version];
  if (asOf === undefined)
    throw new Error(`Say in scripts/build-catalogue.ts when ${PACKAGE} ${version} was published.`);
  const source = `genai-prices ${version} (prices, window); abilities by the family's name`;
  const rows = (["anthropic", "openai", "zai"] as const).flatMap((vendor) => rowsOf(vendor, source, asOf));
  return [
    "// Made by scripts/build-catalogue.ts. Do not edit.",
    'import type { CatalogueRow } from "./seed-models.ts";',
    "",
    "export const PRICED_MODELS: readonly CatalogueRow[] = [",
    ...rows.map((row) => `  ${JSON.stringify(row)},`),
    "];",
    "",
  ].join("\n");
}

if (!process.argv.includes("--check")) writeFileSync(OUTPUT, catalogueContent());
else if (readFileSync(OUTPUT, "utf8") !== catalogueContent()) {
  console.error("The catalogue's rows are older than the package. Run `node scripts/build-catalogue.ts`.");
  process.exitCode = 1;
}
