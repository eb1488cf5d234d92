/**
 * Text to vectors, by whatever of the caller's instances can: an Ollama first, because what it reads stays in the house,
 * then any server that speaks OpenAI's `/embeddings`. One answer is always of one model on one instance: vectors of two
 * models cannot be compared.
 */

import { AppError } from "../../domain/app-error.ts";
import { type EmbeddingPurpose, embeddingName, textFor } from "../../domain/catalogue/embedding-models.ts";
import type { ConfigurationReader, Scope, TurnConfiguration } from "../../ports/conversation-store.ts";
import type { Embedder, Embedding } from "../../ports/embedder.ts";
import { ProviderError, type ProviderFailure } from "../../ports/model-provider.ts";
import type { ProviderDirectory, ProviderHealthBook } from "../../ports/provider-directory.ts";
import { type EmbeddingCandidate, embeddingCandidates } from "./embedding-candidates.ts";

export interface EmbedderDeps {
  configuration: ConfigurationReader;
  directory: Pick<ProviderDirectory, "instances">;
  health: Pick<ProviderHealthBook, "report">;
  /** The model that is wished for. */
  model: string;
  wait(ms: number): Promise<void>;
  /** From 0 up to 1. */
  random(): number;
  now(): Date;
}

const BATCH_SIZE = 64;
/** Of one call; an Ollama on a laptop computes one at a time anyway. */
const BATCHES_AT_ONCE = 2;
const MAX_TRIES = 3;
const FIRST_WAIT_MS = 500;
const MAX_WAIT_MS = 30_000;

interface Job {
  candidate: EmbeddingCandidate;
  purpose: EmbeddingPurpose;
  signal: AbortSignal;
}

const batchesOf = (texts: readonly string[]): string[][] =>
  Array.from({ length: Math.ceil(texts.length / BATCH_SIZE) }, (_unused, index) =>
    texts.slice(index * BATCH_SIZE, (index + 1) * BATCH_SIZE),
  );

/** Why vectors cannot be used; null where they can. */
function flawOf(vectors: readonly number[][], wanted: number, dimensions: number | undefined): string | null {
  if (vectors.length !== wanted) return `${vectors.length} vectors for ${wanted} texts`;
  const length = dimensions ?? vectors[0]?.length ?? 0;
  if (length === 0) return "empty vectors";
  return vectors.every((vector) => vector.length === length) ? null : "vectors of different lengths";
}

class VectorMaker implements Embedder {
  readonly #deps: EmbedderDeps;

  constructor(deps: EmbedderDeps) {
    this.#deps = deps;
  }

  async embed(
    scope: Scope,
    workspaceId: string,
    texts: readonly string[],
    purpose: EmbeddingPurpose,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<Embedding> {
    const instances = this.#deps.directory.instances(await this.#configuration(scope, workspaceId));
    const candidates = embeddingCandidates(instances, this.#deps.model);
    let why: string | undefined;
    for (const candidate of candidates) {
      try {
        return await this.#all({ candidate, purpose, signal }, texts);
      } catch (thrown) {
        if (!(thrown instanceof ProviderError)) throw thrown;
        if (thrown.failure.kind === "aborted") throw new AppError("provider_unavailable", thrown.message);
        why ??= thrown.message;
      }
    }
    throw new AppError("provider_unavailable", why ?? nothingEmbeds(this.#deps.model));
  }

  /** Without Postgres the environment's instances still embed. */
  async #configuration(scope: Scope, workspaceId: string): Promise<TurnConfiguration | null> {
    return await this.#deps.configuration.read(scope, workspaceId).catch(() => null);
  }

  async #all(job: Job, texts: readonly string[]): Promise<Embedding> {
    const { candidate } = job;
    const batches = batchesOf(texts);
    const made: number[][][] = [];
    const controller = new AbortController();
    const signal = AbortSignal.any([job.signal, controller.signal]);
    let next = 0;
    const work = async (): Promise<void> => {
      for (let index = next++; index < batches.length; index = next++) {
        made[index] = await this.#batch({ ...job, signal }, batches[index] ?? []);
      }
    };
    try {
      await Promise.all(Array.from({ length: BATCHES_AT_ONCE }, work));
    } finally {
      controller.abort();
    }
    const vectors = made.flat();
    const dimensions = vectors[0]?.length ?? 0;
    if (texts.length > 0) refuse(candidate, flawOf(vectors, texts.length, dimensions));
    return { vectors, model: embeddingName(candidate.model), dimensions, providerId: candidate.instance.id };
  }

  async #batch({ candidate, purpose, signal }: Job, texts: readonly string[]): Promise<number[][]> {
    const told = texts.map((text) => textFor(candidate.model, purpose, text));
    for (let tries = 1; ; tries++) {
      try {
        const vectors = await this.#ask(candidate, told, signal);
        refuse(candidate, flawOf(vectors, texts.length, undefined));
        return vectors;
      } catch (thrown) {
        const failure = thrown instanceof ProviderError ? thrown.failure : undefined;
        const waitMs = failure && waitBefore(failure, tries, this.#deps.random());
        if (waitMs === undefined || tries >= MAX_TRIES || signal.aborted) throw thrown;
        await this.#deps.wait(waitMs);
      }
    }
  }

  /** One request; the breaker hears how it went. */
  async #ask(
    { instance, model, embed }: EmbeddingCandidate,
    texts: readonly string[],
    signal: AbortSignal,
  ): Promise<number[][]> {
    const { health, now } = this.#deps;
    const started = now().getTime();
    try {
      const vectors = await embed(model, texts, signal);
      health.report(instance, { ok: true, latencyMs: now().getTime() - started });
      return vectors;
    } catch (thrown) {
      if (thrown instanceof ProviderError && thrown.failure.kind !== "aborted") {
        const { kind, message: error, retryAfterMs } = thrown.failure;
        health.report(instance, { ok: false, kind, error, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
      }
      throw thrown;
    }
  }
}

/** @returns undefined where another try would fail alike. */
function waitBefore(failure: ProviderFailure, tries: number, random: number): number | undefined {
  if (!failure.retryable || failure.kind === "protocol") return undefined;
  const { retryAfterMs } = failure;
  if (retryAfterMs !== undefined && retryAfterMs > MAX_WAIT_MS) return undefined;
  return Math.max(retryAfterMs ?? 0, FIRST_WAIT_MS * 2 ** (tries - 1) * (0.5 + random));
}

function refuse({ displayName }: EmbeddingCandidate, flaw: string | null): void {
  if (flaw === null) return;
  const message = `"${displayName}" answered with ${flaw}. Choose another embedding model, or check that server.`;
  throw new ProviderError({ kind: "protocol", message, retryable: false });
}

const nothingEmbeds = (model: string): string =>
  `No connected provider can turn text into vectors. Run \`ollama pull ${model}\` where Ollama is and connect it under Settings, Providers, or connect an OpenAI key there.`;

export const createEmbedder = (deps: EmbedderDeps): Embedder => new VectorMaker(deps);
