import type { FinishReason, Part, Usage } from "../contract/message.ts";
import type { Model, ProviderKind } from "../contract/model.ts";

/** Everything that can go wrong at a vendor, decided once, inside the adapter. */
export type ProviderErrorKind =
  | "unauthenticated" // 401, 403 on the key
  | "not_found" // the model or the address does not exist
  | "invalid_request" // 400, 422: the same request fails again everywhere alike
  | "context_too_large"
  | "rate_limited" // 429
  | "quota_exceeded" // 402, insufficient_quota
  | "overloaded" // 503, 529
  | "server_error" // other 5xx, an error body in a 200
  | "unreachable" // refused, DNS, TLS, reset before headers
  | "timeout" // no headers, or the stream stood still
  | "stream_cut" // the stream ended without its end
  | "protocol" // an answer that is not the vendor's format
  | "aborted"; // our own signal

/** A vendor's failure as data. `message` is one sentence for the user and names no secret. */
export interface ProviderFailure {
  kind: ProviderErrorKind;
  message: string;
  retryable: boolean;
  retryAfterMs?: number;
  status?: number;
}

/** Thrown by `models()` only; `stream()` never throws. */
export class ProviderError extends Error {
  readonly failure: ProviderFailure;
  constructor(failure: ProviderFailure) {
    super(failure.message);
    this.name = "ProviderError";
    this.failure = failure;
  }
}

export interface ToolDefinition {
  name: string;
  description: string;
  /** JSON Schema of the input. */
  inputSchema: Record<string, unknown>;
}

/** A message as any vendor can be told it. History from another vendor comes without thinking signatures. */
export interface PromptMessage {
  role: "user" | "assistant";
  /** In a user message also `tool-result`s of the assistant message before it. */
  parts: Part[];
}

export interface ModelRequest {
  model: string;
  system?: string;
  messages: PromptMessage[];
  tools?: ToolDefinition[];
  maxOutputTokens?: number;
  temperature?: number;
  /** Ask for visible reasoning where the model has it. */
  reasoning?: "off" | "low" | "medium" | "high";
}

/**
 * One event of a stream. The last one is `finish` or `failure`, exactly once.
 * A tool call's input is complete at `tool-call`; its deltas before that are for showing.
 */
export type ModelEvent =
  | { type: "text-delta"; text: string }
  | { type: "thinking-delta"; text: string }
  | { type: "thinking-end"; signature?: string; redacted?: string }
  | { type: "tool-input-delta"; callId: string; name: string; text: string }
  | { type: "tool-call"; callId: string; name: string; input: unknown }
  | { type: "finish"; reason: FinishReason; usage: Usage; model: string; costMicroUsd?: number }
  | { type: "failure"; failure: ProviderFailure; usage?: Usage };

export interface StreamOptions {
  signal: AbortSignal;
  /** Milliseconds until the response headers must be there. Default 60,000. */
  headersTimeoutMs?: number;
  /** Milliseconds a stream may stand still. Default 60,000. */
  idleTimeoutMs?: number;
}

/** What a vendor says of one of its models; the catalogue fills the gaps. */
export type ListedModel = Pick<Model, "id"> & Partial<Omit<Model, "id" | "providerId" | "provider" | "health">>;

export interface ModelProvider {
  readonly kind: ProviderKind;
  /**
   * The vendor's list; costs no tokens. Also the health check.
   * @throws {ProviderError}
   */
  models(signal: AbortSignal): Promise<ListedModel[]>;
  /** Never throws, also not while iterated: a failure is the last event. Ending the iteration early ends the request. */
  stream(request: ModelRequest, options: StreamOptions): AsyncIterable<ModelEvent>;
}
