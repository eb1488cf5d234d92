import type { ErrorCode } from "../../contract/errors.ts";
import { AppError } from "../../domain/app-error.ts";
import { isTransient, sqlStateOf } from "../postgres/database.ts";

const STATUS: Partial<Record<ErrorCode, number>> = {
  invalid_request: 400,
  invalid_json: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  too_large: 413,
  rate_limited: 429,
  database_unavailable: 503,
  provider_unavailable: 503,
};

/** What went wrong beneath better-auth, as `{code, message}` with its status. Only the unexpected is a 500, and logged. */
export function failureResponse(error: unknown): Response {
  const failure = asAppError(error);
  const headers = new Headers({ "content-type": "application/json", "cache-control": "no-store" });
  if (failure.retryAfterMs !== undefined) headers.set("retry-after", String(Math.ceil(failure.retryAfterMs / 1000)));
  return new Response(JSON.stringify({ code: failure.code, message: failure.message }), {
    status: STATUS[failure.code] ?? 500,
    headers,
  });
}

const UNAVAILABLE = "Sign-in cannot reach its database right now; try again in a moment.";

function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const state = sqlStateOf(error);
  if (state === "23505") return new AppError("conflict", "That exists already; choose another name or address.");
  if (state && /^(22|23|54)/.test(state)) {
    return new AppError(
      "invalid_request",
      "The request names something that does not exist or has the wrong form; check its ids and texts.",
    );
  }
  if (state !== null && isTransient(error))
    return new AppError("database_unavailable", UNAVAILABLE, { retryAfterMs: 2_000 });
  logFailure("request failed", error);
  return new AppError("internal", "Something went wrong in sign-in; try again, and tell the operator if it stays.");
}

/** Names and states only: messages of the database driver repeat parameters, which are credentials here. */
export function logFailure(what: string, error: unknown): void {
  const name = error instanceof Error ? error.name : typeof error;
  console.error(`sign-in: ${what} (${name}${sqlStateOf(error) ? `, SQLSTATE ${sqlStateOf(error)}` : ""})`);
}
