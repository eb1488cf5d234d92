import { type ErrorCode, type FieldError, Problem, type PublicError } from "../contract/errors.ts";

/** `network`: no answer came. `unexpected`: an answer came that this client cannot read. */
export type ApiErrorCode = ErrorCode | "network" | "unexpected";

interface ApiErrorFields {
  code: ApiErrorCode;
  message: string;
  /** The HTTP status, 0 where none came (network, socket). */
  status?: number;
  errors?: FieldError[] | undefined;
  retryable?: boolean;
}

/** The one error of this client: whatever failed, `message` is a sentence for a person. */
export class ApiError extends Error {
  readonly code: ApiErrorCode;
  readonly status: number;
  readonly errors: FieldError[];
  readonly retryable: boolean;

  constructor(fields: ApiErrorFields) {
    super(fields.message);
    this.name = "ApiError";
    this.code = fields.code;
    this.status = fields.status ?? 0;
    this.errors = fields.errors ?? [];
    this.retryable = fields.retryable ?? false;
  }
}

/** Codes of the socket's `error` frames after which the same request may succeed later. */
const RETRYABLE = new Set<ErrorCode>(["rate_limited", "internal", "database_unavailable", "provider_unavailable"]);

const isRetryable = (code: ErrorCode): boolean => RETRYABLE.has(code);

/** An `error` frame of the socket as an ApiError. */
export const errorFromFrame = (error: PublicError): ApiError =>
  new ApiError({
    code: error.code,
    message: error.message,
    errors: error.errors,
    retryable: isRetryable(error.code),
  });

export const networkError = (baseUrl: string): ApiError =>
  new ApiError({
    code: "network",
    message: `Mosaic does not answer at ${baseUrl}. Check that it is running and that the address is right.`,
    retryable: true,
  });

const STATUS_CODES: Record<number, ErrorCode> = {
  401: "unauthenticated",
  403: "forbidden",
  404: "not_found",
  413: "too_large",
  429: "rate_limited",
};

/** A response that is not ok, read as `problem+json` where it is one. */
export function errorFromResponse(status: number, body: string): ApiError {
  let value: unknown = null;
  try {
    value = JSON.parse(body);
  } catch {
    // Not JSON: a proxy or another server answered; the status has to do.
  }
  const problem = Problem.safeParse(value);
  if (problem.success) {
    const { code, detail, title, errors, retryable } = problem.data;
    return new ApiError({ code, message: detail || title, status, errors, retryable });
  }
  return new ApiError({
    code: STATUS_CODES[status] ?? "unexpected",
    message: `The server answered with status ${status} and no explanation.`,
    status,
    retryable: status >= 500 || status === 429,
  });
}
