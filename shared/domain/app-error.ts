import type { ErrorCode, FieldError, PublicError, Result } from "../contract/errors.ts";

/** A failure with a public face. Thrown inside one process; across RPC it travels as `PublicError`. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly errors: FieldError[] | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    more: { errors?: FieldError[]; retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = "AppError";
    this.code = code;
    this.errors = more.errors;
    this.retryAfterMs = more.retryAfterMs;
  }

  static from(error: PublicError): AppError {
    return new AppError(error.code, error.message, {
      ...(error.errors ? { errors: error.errors } : {}),
      ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
    });
  }

  toPublic(): PublicError {
    return {
      code: this.code,
      message: this.message,
      ...(this.errors ? { errors: this.errors } : {}),
      ...(this.retryAfterMs === undefined ? {} : { retryAfterMs: this.retryAfterMs }),
    };
  }
}

export const ok = <Value>(value: Value): Result<Value> => ({ ok: true, value });
export const fail = (code: ErrorCode, message: string): { ok: false; error: PublicError } => ({
  ok: false,
  error: { code, message },
});

/** The value of a result, or its error thrown. */
export function unwrap<Value>(result: Result<Value>): Value {
  if (result.ok) return result.value;
  throw AppError.from(result.error);
}
