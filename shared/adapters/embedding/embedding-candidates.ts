import { embeddingName, looksLikeEmbedding, OWN_EMBEDDING_MODELS } from "../../domain/catalogue/embedding-models.ts";
import type { ModelProvider } from "../../ports/model-provider.ts";
import type { ProviderInstance } from "../../ports/provider-directory.ts";

/** One instance that may embed, and with what. */
export interface EmbeddingCandidate {
  instance: Pick<ProviderInstance, "id" | "version">;
  displayName: string;
  model: string;
  embed: NonNullable<ModelProvider["embed"]>;
}

/** Who is asked first. The others have no embeddings, or none that are worth their price for this. */
const KINDS: readonly ProviderInstance["kind"][] = ["ollama", "openai-compatible", "openai"];

/** The model to ask an instance for: the one wished for, else one that it has; null where it has none. */
function modelOf({ kind, models }: ProviderInstance, wished: string): string | null {
  const isWished = (id: string): boolean => embeddingName(id).toLowerCase() === embeddingName(wished).toLowerCase();
  const exact = models.find(({ id, aliases }) => isWished(id) || aliases.some(isWished));
  if (exact) return exact.id;
  const own = OWN_EMBEDDING_MODELS[kind];
  if (own !== undefined) return wished.startsWith("text-embedding") ? wished : own;
  // Nobody could ask it yet, so it may have what is wished for.
  if (models.length === 0) return wished;
  const alike = models.filter(({ id, capabilities }) => capabilities.embedding || looksLikeEmbedding(id));
  return (alike.find(({ id }) => id.toLowerCase().includes(wished.toLowerCase())) ?? alike[0])?.id ?? null;
}

/**
 * Those that can embed, best first: those that have the wished model before those that have another, an Ollama before the
 * rest, those that are down last.
 */
export function embeddingCandidates(instances: readonly ProviderInstance[], wished: string): EmbeddingCandidate[] {
  const ranked = instances.flatMap((instance) => {
    const { embed } = instance.provider;
    const model = KINDS.includes(instance.kind) ? modelOf(instance, wished) : null;
    if (!embed || model === null) return [];
    const { displayName, health, kind } = instance;
    const isOther = embeddingName(model) !== embeddingName(wished);
    const rank = (health === "down" ? 100 : 0) + (isOther ? 10 : 0) + KINDS.indexOf(kind);
    return [{ rank, candidate: { instance, displayName, model, embed } }];
  });
  return ranked.toSorted((a, b) => a.rank - b.rank).map(({ candidate }) => candidate);
}
