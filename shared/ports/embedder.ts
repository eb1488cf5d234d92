import type { Scope } from "./conversation-store.ts";

/** Vectors with what made them: only vectors of the same model and length can be compared. */
export interface Embedding {
  vectors: number[][];
  model: string;
  dimensions: number;
  providerId: string;
}

/** Turns text into vectors. Some models want to know what for: a document to be found, or a question that finds. */
export interface Embedder {
  /**
   * One vector for each text, in order.
   * @throws AppError `provider_unavailable` with one sentence that says what to connect
   */
  embed(
    scope: Scope,
    workspaceId: string,
    texts: readonly string[],
    purpose: "document" | "query",
    signal?: AbortSignal,
  ): Promise<Embedding>;
}
