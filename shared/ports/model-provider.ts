import type { Model, ProviderKind } from "../contract/model.ts";
import type { ModelEvent } from "../domain/model/model-event.ts";
import type { ModelRequest } from "../domain/model/model-request.ts";
import type { ProviderFailure } from "../domain/model/provider-failure.ts";

export type { ModelEvent } from "../domain/model/model-event.ts";
export type { ModelRequest, PromptMessage, PromptPart } from "../domain/model/model-request.ts";
export type { ProviderErrorKind, ProviderFailure } from "../domain/model/provider-failure.ts";

/** Thrown by `models()` only; `stream()` never throws. */
export class ProviderError extends Error {
  readonly failure: ProviderFailure;
  constructor(failure: ProviderFailure) {
    super(failure.message);
    this.name = "ProviderError";
    this.failure = failure;
  }
}

export interface StreamOptions {
  signal: AbortSignal;
  /** Milliseconds until the response headers must be there. Default 60,000. */
  headersTimeoutMs?: number;
  /** Milliseconds a stream may stand still. Default 60,000. */
  idleTimeoutMs?: number;
  /** Called whenever bytes come, also those that are no event: a model that thinks in silence sends signs of life. */
  onActivity?: () => void;
}

/** What a vendor says of one of its models; the catalogue fills the gaps. */
export type ListedModel = Pick<Model, "id"> & Partial<Omit<Model, "id" | "providerId" | "provider" | "health">>;

/** How far a model server is with fetching a model. Sizes are of the piece at hand; null where it does not say. */
export interface PullProgress {
  /** In the server's words; `success` is the last. */
  status: string;
  completedBytes: number | null;
  totalBytes: number | null;
}

export interface ModelProvider {
  readonly kind: ProviderKind;
  /**
   * The vendor's list; costs no tokens. Also the health check.
   * @throws {ProviderError}
   */
  models(signal: AbortSignal): Promise<ListedModel[]>;
  /**
   * Whether the vendor takes the key, where a list that comes does not say it; costs no tokens. Left out where the list
   * is for those with a key alone.
   * @returns false where nobody can tell
   * @throws {ProviderError} `unauthenticated`
   */
  provesKey?(signal: AbortSignal): Promise<boolean>;
  /** Never throws, also not while iterated: a failure is the last event. Ending the iteration early ends the request. */
  stream(request: ModelRequest, options: StreamOptions): AsyncIterable<ModelEvent>;
  /**
   * One vector for each text, in order; as the vendor sent them, unchecked. Left out where the vendor has none.
   * @throws {ProviderError}
   */
  embed?(model: string, texts: readonly string[], signal: AbortSignal): Promise<number[][]>;
  /**
   * Has a model server fetch a model. Ending the iteration early stops it; what it has stays there.
   * @throws {ProviderError} while iterated
   */
  pull?(model: string, signal: AbortSignal): AsyncIterable<PullProgress>;
}
