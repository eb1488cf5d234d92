/** Model lists of vendors that speak chat completions. */
import * as z from "zod";
import type { ModelPrices } from "../../../contract/model.ts";
import { rowsOf } from "../../../domain/catalogue/catalogue-seed.ts";
import { type ListedModel, ProviderError } from "../../../ports/model-provider.ts";
import type { Access, OpenedSecret } from "../access.ts";
import { fetchJson } from "../fetch-json.ts";
import { VENDORS } from "../vendors.ts";
import type { ChatVendor } from "./chat-vendor.ts";

const text = z.string().optional().catch(undefined);
const count = z.int().positive().nullish().catch(undefined);

const ModelList = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      name: text,
      context_length: count,
      architecture: z
        .object({ input_modalities: z.array(z.string()).optional().catch(undefined) })
        .nullish()
        .catch(undefined),
      /** Strings of USD per token; -1 where it depends. */
      pricing: z.object({ prompt: text, completion: text, input_cache_read: text }).nullish().catch(undefined),
      top_provider: z.object({ max_completion_tokens: count }).nullish().catch(undefined),
      supported_parameters: z.array(z.string()).nullish().catch(undefined),
    }),
  ),
});
type Entry = z.infer<typeof ModelList>["data"][number];

/** USD per token, as text, in micro-USD per million tokens. */
function microUsdPerMTok(price: string | undefined): number | undefined {
  const usd = price === undefined || price.trim() === "" ? Number.NaN : Number(price);
  const micro = Math.round(usd * 1e12);
  return Number.isSafeInteger(micro) && micro >= 0 ? micro : undefined;
}

function pricesOf(pricing: Entry["pricing"]): ModelPrices | null {
  const input = microUsdPerMTok(pricing?.prompt);
  const output = microUsdPerMTok(pricing?.completion);
  if (input === undefined || output === undefined) return null;
  const cached = microUsdPerMTok(pricing?.input_cache_read);
  return {
    inputMicroUsdPerMTok: input,
    outputMicroUsdPerMTok: output,
    ...(cached === undefined ? {} : { cachedInputMicroUsdPerMTok: cached }),
  };
}

function withFacts(entry: Entry, vendor: ChatVendor): ListedModel {
  const parameters = entry.supported_parameters ?? [];
  return {
    id: entry.id,
    name: entry.name ?? entry.id,
    contextWindow: entry.context_length ?? null,
    maxOutputTokens: entry.top_provider?.max_completion_tokens ?? null,
    prices: pricesOf(entry.pricing),
    capabilities: {
      tools: parameters.includes("tools"),
      reasoning: parameters.includes("reasoning"),
      vision: entry.architecture?.input_modalities?.includes("image") ?? false,
      streaming: true,
      embedding: false,
    },
    source: `listed by ${VENDORS[vendor.kind].name}`,
  };
}

/** There is no list, and no other call that costs nothing: a request without messages is refused, but only after the key. */
async function checkKey(ask: (path: string, body: unknown) => Promise<unknown>, model: string): Promise<void> {
  try {
    await ask("/chat/completions", { model, messages: [], max_tokens: 1 });
  } catch (thrown) {
    if (!(thrown instanceof ProviderError)) throw thrown;
    if (thrown.failure.kind !== "invalid_request") throw thrown;
  }
}

interface Call {
  access: Access;
  sign: (secret: OpenedSecret) => Record<string, string>;
  signal: AbortSignal;
}

/**
 * Asks after the key. Whatever else goes wrong says nothing about it.
 * @throws {ProviderError} `unauthenticated`
 */
export async function provesChatKey(keyCheck: "/key" | "unknown", call: Call): Promise<boolean> {
  if (keyCheck === "unknown") return false;
  try {
    await fetchJson({ ...call, path: keyCheck, schema: z.unknown() });
    return true;
  } catch (thrown) {
    if (!(thrown instanceof ProviderError) || thrown.failure.kind === "unauthenticated") throw thrown;
    return false;
  }
}

/** @throws {ProviderError} */
export async function listChatModels(record: ChatVendor, call: Call): Promise<ListedModel[]> {
  if (record.modelList === "seed") {
    const seeds = rowsOf(record.kind).map(({ id }) => ({ id }));
    await checkKey((path, body) => fetchJson({ ...call, path, body, schema: z.unknown() }), seeds[0]?.id ?? "");
    return seeds;
  }
  const list = await fetchJson({ ...call, path: "/models", schema: ModelList });
  return list.data.map((entry) => (record.modelList === "facts" ? withFacts(entry, record) : { id: entry.id }));
}
