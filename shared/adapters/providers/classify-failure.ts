/**
 * What a vendor's refusal means, decided once for all of them: a status, an error code in a body, or whatever was thrown
 * while an answer was read, becomes a `ProviderFailure`.
 */
import * as z from "zod";
import { ProviderError, type ProviderErrorKind, type ProviderFailure } from "../../ports/model-provider.ts";
import { failureOf, type Vendor } from "./errors.ts";

const MAX_RETRY_AFTER_MS = 3_600_000;

/** Codes, types and phrases found in error bodies, the most telling first. They win over the status. */
const BODY_TABLE: [RegExp, ProviderErrorKind][] = [
  [
    /context_length_exceeded|context_window|exceed_context_size|prompt is too long|maximum context length|exceeds? the (available )?context/i,
    "context_too_large",
  ],
  [/\b1261\b|request_too_large/i, "context_too_large"],
  [/insufficient_quota|insufficient_balance|billing|credit balance|insufficient credits|\b1113\b/i, "quota_exceeded"],
  [/authentication_error|invalid_api_key|permission_error|incorrect api key/i, "unauthenticated"],
  [/model_not_found|not_found_error|model ['"].*['"] not found|pull model manifest: file does not exist/i, "not_found"],
  [/rate_limit/i, "rate_limited"],
  [/overloaded/i, "overloaded"],
];

const STATUS_TABLE: Readonly<Record<number, ProviderErrorKind>> = {
  401: "unauthenticated",
  402: "quota_exceeded",
  403: "unauthenticated",
  404: "not_found",
  405: "not_found",
  408: "timeout",
  409: "server_error",
  410: "not_found",
  413: "context_too_large",
  425: "overloaded",
  429: "rate_limited",
  503: "overloaded",
  504: "timeout",
  524: "timeout",
  529: "overloaded",
};

function kindOfStatus(status: number): ProviderErrorKind {
  const known = STATUS_TABLE[status];
  if (known) return known;
  return status >= 500 || status < 400 ? "server_error" : "invalid_request";
}

const short = z.string().optional().catch(undefined);
const ErrorDetail = z.object({
  type: short,
  code: z
    .union([z.string(), z.number().transform(String)])
    .optional()
    .catch(undefined),
  message: short,
});
const ErrorBody = z.object({ error: z.unknown() });
/** Our own connector's answers, where it could not get one from the machine. */
const CONNECTOR_CODES = {
  connector_offline: "unreachable",
  provider_failed: "unreachable",
  provider_timeout: "timeout",
  forbidden: "not_found",
  rate_limited: "rate_limited",
} as const satisfies Readonly<Record<string, ProviderErrorKind>>;
const ConnectorProblem = z.object({
  code: z.enum(["connector_offline", "provider_failed", "provider_timeout", "forbidden", "rate_limited"]),
  detail: short,
});

interface Complaint {
  codes: string;
  message: string;
}

/** Finds the complaint in any vendor's error body: `{error: {type, code, message}}`, the inner object, or `{error: "text"}`. */
function complaintOf(body: unknown): Complaint | undefined {
  if (typeof body === "string") return { codes: "", message: body };
  const outer = ErrorBody.safeParse(body);
  if (outer.success && outer.data.error) return complaintOf(outer.data.error);
  const detail = ErrorDetail.safeParse(body);
  if (!detail.success) return undefined;
  const { type, code, message } = detail.data;
  if (type === undefined && code === undefined && message === undefined) return undefined;
  return { codes: `${type ?? ""} ${code ?? ""}`, message: message ?? "" };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function kindOfComplaint(complaint: Complaint | undefined): ProviderErrorKind | undefined {
  if (!complaint) return undefined;
  const text = `${complaint.codes} ${complaint.message}`;
  return BODY_TABLE.find(([pattern]) => pattern.test(text))?.[1];
}

/** `retry-after-ms`, or `Retry-After` in seconds or as a date; undefined where it says nothing usable. */
export function retryAfterMsOf(headers: Headers, now: number): number | undefined {
  const exact = Number(headers.get("retry-after-ms") ?? Number.NaN);
  const value = headers.get("retry-after");
  const seconds = value === null || value.trim() === "" ? Number.NaN : Number(value);
  const ms = !Number.isNaN(exact)
    ? exact
    : !Number.isNaN(seconds)
      ? seconds * 1000
      : value === null
        ? Number.NaN
        : Date.parse(value) - now;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(0, Math.round(ms)), MAX_RETRY_AFTER_MS);
}

function failureOfConnector(
  vendor: Vendor,
  { status, headers }: { status: number; headers: Headers },
  body: unknown,
): ProviderFailure | undefined {
  if (!vendor.isConnector || !headers.get("content-type")?.startsWith("application/problem+json")) return undefined;
  const problem = ConnectorProblem.safeParse(body);
  if (!problem.success) return undefined;
  const { code, detail } = problem.data;
  return failureOf(CONNECTOR_CODES[code], vendor, {
    status,
    ...(detail ? { sentence: detail } : {}),
    ...(code === "connector_offline" ? { isMachineAway: true } : {}),
  });
}

/** An HTTP answer that is not the wanted one. `body` is its text, perhaps cut short. */
export function failureOfResponse(
  vendor: Vendor,
  answer: { status: number; headers: Headers; body: string; now: number; model?: string },
): ProviderFailure {
  const { status } = answer;
  const body = parseJson(answer.body);
  const connectors = failureOfConnector(vendor, answer, body);
  if (connectors) return connectors;
  const location = answer.headers.get("location");
  if (status >= 300 && status < 400 && location !== null && URL.canParse(location, vendor.baseUrl))
    return failureOf("protocol", vendor, { status, redirectedTo: new URL(location, vendor.baseUrl).href });
  const complaint = complaintOf(body);
  const retryAfterMs = retryAfterMsOf(answer.headers, answer.now);
  const kind = kindOfComplaint(complaint) ?? kindOfStatus(status);
  return failureOf(kind, vendor, {
    status,
    ...(complaint?.message ? { detail: complaint.message } : {}),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(answer.model === undefined ? {} : { model: answer.model }),
  });
}

/** An error object met inside a stream or in a 200. Undefined when it is none. */
export function failureOfErrorBody(vendor: Vendor, body: unknown, model?: string): ProviderFailure | undefined {
  const complaint = complaintOf(body);
  if (!complaint) return undefined;
  const numeric = Number(complaint.codes.trim());
  const kind =
    kindOfComplaint(complaint) ??
    (/invalid_request_error|invalid_prompt/.test(complaint.codes)
      ? "invalid_request"
      : numeric >= 400 && numeric < 600
        ? kindOfStatus(numeric)
        : "server_error");
  return failureOf(kind, vendor, { detail: complaint.message, ...(model === undefined ? {} : { model }) });
}

/** Whatever else was thrown while an answer was read: an SDK's in-stream error, or something that could not be parsed. */
export function failureOfThrown(vendor: Vendor, thrown: unknown, model?: string): ProviderFailure {
  if (thrown instanceof ProviderError) return thrown.failure;
  const carried = ErrorBody.safeParse(thrown);
  const failure =
    carried.success && carried.data.error ? failureOfErrorBody(vendor, carried.data.error, model) : undefined;
  return failure ?? failureOf("protocol", vendor);
}

/** Whether a text is a JSON error body, as some proxies send with status 200. */
export function failureOfErrorText(vendor: Vendor, text: string, model?: string): ProviderFailure | undefined {
  const body = parseJson(text);
  const outer = ErrorBody.safeParse(body);
  return outer.success && outer.data.error ? failureOfErrorBody(vendor, body, model) : undefined;
}
