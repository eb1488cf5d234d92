/** What an Ollama has: names from `/api/tags`, facts from `/api/show`, remembered by digest. */
import * as z from "zod";
import { type ListedModel, ProviderError } from "../../../ports/model-provider.ts";
import { type Access, bearerHeaders } from "../access.ts";
import { fetchJson } from "../fetch-json.ts";
import type { OllamaFacts } from "./ollama-request.ts";

const text = z.string().optional().catch(undefined);
const Tags = z.object({
  models: z
    .array(
      z.object({
        name: z.string(),
        digest: text,
        details: z.object({ family: text }).nullish().catch(undefined),
      }),
    )
    .nullish(),
});
const Shown = z.object({
  model_info: z.record(z.string(), z.unknown()).nullish().catch(undefined),
  capabilities: z.array(z.string()).nullish().catch(undefined),
});

export interface ModelFacts extends OllamaFacts {
  /** Null where this Ollama is too old to say. */
  capabilities: readonly string[] | null;
}

const UNKNOWN: ModelFacts = { contextLength: null, thinks: false, capabilities: null };
const SHOWN_AT_ONCE = 4;
/** Architectures that only embed. */
const EMBEDDING_FAMILY = /bert/i;

function factsOf(shown: z.infer<typeof Shown>): ModelFacts {
  const length = Object.entries(shown.model_info ?? {}).find(([key]) => key.endsWith(".context_length"))?.[1];
  const capabilities = shown.capabilities ?? null;
  return {
    contextLength: typeof length === "number" && Number.isSafeInteger(length) && length > 0 ? length : null,
    thinks: capabilities?.includes("thinking") ?? false,
    capabilities,
  };
}

export interface OllamaModels {
  /** @throws {ProviderError} */
  list(signal: AbortSignal): Promise<ListedModel[]>;
  /** Facts of one model; unknown ones where it cannot be asked. Never throws. */
  facts(model: string, signal: AbortSignal): Promise<ModelFacts>;
}

export function ollamaModels(access: Access): OllamaModels {
  const known = new Map<string, { digest: string | undefined; facts: ModelFacts }>();

  async function show(model: string, digest: string | undefined, signal: AbortSignal): Promise<ModelFacts> {
    const remembered = known.get(model);
    if (remembered && (digest === undefined || remembered.digest === digest)) return remembered.facts;
    try {
      const call = { access, sign: bearerHeaders, signal, model };
      const facts = factsOf(await fetchJson({ ...call, path: "/api/show", body: { model }, schema: Shown }));
      known.set(model, { digest, facts });
      return facts;
    } catch (thrown) {
      if (thrown instanceof ProviderError) return UNKNOWN;
      throw thrown;
    }
  }

  function listed(
    tag: { name: string; details?: { family?: string | undefined } | null | undefined },
    facts: ModelFacts,
  ): ListedModel {
    const can = (capability: string): boolean => facts.capabilities?.includes(capability) ?? false;
    const embedding = facts.capabilities ? can("embedding") : EMBEDDING_FAMILY.test(tag.details?.family ?? "");
    return {
      id: tag.name,
      name: tag.name,
      tier: "local",
      contextWindow: facts.contextLength,
      capabilities: {
        tools: can("tools"),
        vision: can("vision"),
        reasoning: can("thinking"),
        streaming: true,
        embedding,
      },
      // `llama3:latest` is asked for as `llama3`.
      ...(tag.name.endsWith(":latest") ? { aliases: [tag.name.slice(0, -":latest".length)] } : {}),
      source: "listed by Ollama",
    };
  }

  async function list(signal: AbortSignal): Promise<ListedModel[]> {
    const list = await fetchJson({ access, sign: bearerHeaders, signal, path: "/api/tags", schema: Tags });
    const tags = list.models ?? [];
    const models: ListedModel[] = [];
    // Few at a time: a Worker has six connections, and a probe must not take them all.
    for (let start = 0; start < tags.length; start += SHOWN_AT_ONCE) {
      const some = tags.slice(start, start + SHOWN_AT_ONCE);
      models.push(
        ...(await Promise.all(some.map(async (tag) => listed(tag, await show(tag.name, tag.digest, signal))))),
      );
    }
    return models;
  }

  return { list, facts: (model, signal) => show(model, undefined, signal) };
}
