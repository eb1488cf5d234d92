/** Everything that can go wrong at a vendor, decided once, inside the adapter. */
export const PROVIDER_ERROR_KINDS = [
  "unauthenticated", // 401, 403 on the key
  "forbidden", // 403 on what was asked for; says nothing of the next request
  "not_found", // the model or the address does not exist
  "invalid_request", // 400, 422: this vendor refuses the same request again
  "context_too_large",
  "rate_limited", // 429
  "quota_exceeded", // 402, insufficient_quota
  "overloaded", // 503, 529
  "server_error", // other 5xx, an error body in a 200
  "unreachable", // refused, DNS, TLS, reset before headers
  "timeout", // no headers, or the stream stood still
  "stream_cut", // the stream ended without its end
  "protocol", // an answer that is not the vendor's format
  "aborted", // our own signal
] as const;
export type ProviderErrorKind = (typeof PROVIDER_ERROR_KINDS)[number];

/** A vendor's failure as data. `message` is one sentence for the user and names no secret. */
export interface ProviderFailure {
  kind: ProviderErrorKind;
  message: string;
  retryable: boolean;
  retryAfterMs?: number;
  status?: number;
}
