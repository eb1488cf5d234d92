import type { ErrorCode, Problem, PublicError } from "../shared/contract/errors.ts";
import { AppError } from "../shared/domain/app-error.ts";
import type { EdgeContext } from "./edge.ts";
import { redact } from "./redact.ts";

interface Face {
  status: 400 | 401 | 402 | 403 | 404 | 405 | 409 | 413 | 415 | 422 | 429 | 500 | 502 | 503 | 504;
  title: string;
  /** Whether the very same request may succeed later. */
  retryable: boolean;
}

const face = (status: Face["status"], title: string, retryable = false): Face => ({ status, title, retryable });

/** The only table from codes to statuses. */
export const ERROR_FACES: Record<ErrorCode, Face> = {
  invalid_request: face(400, "Invalid request"),
  invalid_json: face(400, "Invalid JSON"),
  unknown_field: face(400, "Unknown field"),
  url_refused: face(400, "URL refused"),
  unauthenticated: face(401, "Not signed in"),
  expired: face(401, "Sign-in expired"),
  budget_exceeded: face(402, "Budget exceeded"),
  forbidden: face(403, "Forbidden"),
  not_found: face(404, "Not found"),
  method_not_allowed: face(405, "Method not allowed"),
  conflict: face(409, "Conflict", true),
  version_conflict: face(409, "Version conflict"),
  idempotency_conflict: face(409, "Idempotency conflict"),
  busy: face(409, "Busy", true),
  too_large: face(413, "Too large"),
  unsupported_media_type: face(415, "Unsupported media type"),
  no_route: face(422, "No route"),
  context_too_large: face(422, "Context too large"),
  template_error: face(422, "Template error"),
  rate_limited: face(429, "Too many requests", true),
  internal: face(500, "Internal error", true),
  provider_failed: face(502, "Provider failed", true),
  database_unavailable: face(503, "Database unavailable", true),
  provider_unavailable: face(503, "Provider unavailable", true),
  connector_offline: face(503, "Connector offline", true),
  provider_timeout: face(504, "Provider timed out", true),
};

const INTERNAL: PublicError = {
  code: "internal",
  message: "Something went wrong on our side; try again, and name the request id if it stays.",
};

/** Builds the `application/problem+json` answer to a public error. */
export function problemResponse(error: PublicError, requestId: string, headers: Record<string, string> = {}): Response {
  const { status, title, retryable } = ERROR_FACES[error.code];
  const problem: Problem = {
    type: `urn:mosaic:problem:${error.code}`,
    title,
    status,
    detail: error.message,
    code: error.code,
    requestId,
    retryable,
    ...(error.errors ? { errors: error.errors } : {}),
  };
  return new Response(JSON.stringify(problem), {
    status,
    headers: {
      "content-type": "application/problem+json",
      ...(status === 401 ? { "www-authenticate": "Bearer" } : {}),
      ...(error.retryAfterMs === undefined ? {} : { "retry-after": String(Math.ceil(error.retryAfterMs / 1000)) }),
      ...headers,
    },
  });
}

const causeChain = (error: unknown, depth = 0): string[] => {
  if (depth > 4 || error === undefined) return [];
  if (!(error instanceof Error)) return [redact(String(error))];
  return [redact(error.stack ?? `${error.name}: ${error.message}`), ...causeChain(error.cause, depth + 1)];
};

/** The one error handler: says what the caller may know, logs the cause of what is our fault. */
export function answerError(error: Error, c: EdgeContext): Response {
  const known = error instanceof AppError ? error.toPublic() : INTERNAL;
  if (ERROR_FACES[known.code].status >= 500) {
    console.error(
      JSON.stringify({
        level: "error",
        message: "request failed",
        requestId: c.var.requestId,
        traceparent: c.var.traceparent,
        method: c.req.method,
        // Never the query: tickets travel there.
        path: c.req.path,
        code: known.code,
        cause: causeChain(error),
      }),
    );
  }
  return problemResponse(known, c.var.requestId);
}
