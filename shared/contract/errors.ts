import * as z from "zod";

/** Every error code a client can meet, over REST (`problem+json`) and over the socket (`error` frames). Closed list. */
export const ERROR_CODES = [
  "invalid_request",
  "invalid_json",
  "unknown_field",
  "url_refused",
  "unauthenticated",
  "expired",
  "budget_exceeded",
  "forbidden",
  "not_found",
  "method_not_allowed",
  "conflict",
  "version_conflict",
  "idempotency_conflict",
  "busy",
  "too_large",
  "unsupported_media_type",
  "no_route",
  "context_too_large",
  "template_error",
  "rate_limited",
  "internal",
  "provider_failed",
  "database_unavailable",
  "provider_unavailable",
  "connector_offline",
  "provider_timeout",
] as const;

export const ErrorCode = z.enum(ERROR_CODES);
export type ErrorCode = z.infer<typeof ErrorCode>;

/** Where in the input the fault is (`parts.0.text`) and what to do about it. */
export const FieldError = z.object({ path: z.string(), message: z.string() });
export type FieldError = z.infer<typeof FieldError>;

/** What any failed operation tells its caller; crosses RPC, sockets and REST as plain data. */
export const PublicError = z.object({
  code: ErrorCode,
  message: z.string(),
  errors: z.array(FieldError).optional(),
  retryAfterMs: z.int().optional(),
});
export type PublicError = z.infer<typeof PublicError>;

/** RFC 9457 body, `application/problem+json`. */
export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: ErrorCode,
  requestId: z.string(),
  retryable: z.boolean(),
  errors: z.array(FieldError).optional(),
});
export type Problem = z.infer<typeof Problem>;

/** A value or an error, as plain data: what crosses object RPC, where thrown errors lose their type. */
export type Result<Value> = { ok: true; value: Value } | { ok: false; error: PublicError };

/** However large the input and however odd its names: so many faults are told, and so much of where each is. */
const MAX_TOLD_FAULTS = 20;
const MAX_TOLD_PATH = 120;

/** A path for people to read: short, and without control characters or half a character. */
const toldPath = (path: readonly PropertyKey[]): string => {
  const whole = path.map(String).join(".");
  const cut = whole.length > MAX_TOLD_PATH ? `${whole.slice(0, MAX_TOLD_PATH)}…` : whole;
  return cut.replaceAll(/\p{C}/gu, "\ufffd");
};

/** Turns zod's issues into public field errors; an unknown field is named with its own code. */
export function errorFromZod(error: z.ZodError): PublicError {
  const unknown = error.issues.some((issue) => issue.code === "unrecognized_keys");
  const errors = error.issues.slice(0, MAX_TOLD_FAULTS).flatMap((issue): FieldError[] => {
    if (issue.code === "unrecognized_keys") {
      return issue.keys
        .slice(0, MAX_TOLD_FAULTS)
        .map((key) => ({ path: toldPath([...issue.path, key]), message: "is not a known field" }));
    }
    return [{ path: toldPath(issue.path), message: issue.message }];
  });
  const told = errors.slice(0, MAX_TOLD_FAULTS);
  const first = told[0];
  const where = first?.path ? `\`${first.path}\`: ` : "";
  return {
    code: unknown ? "unknown_field" : "invalid_request",
    message: first ? `${where}${first.message}` : "The input does not have the expected shape.",
    errors: told,
  };
}
