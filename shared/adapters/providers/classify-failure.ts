/**
 * What a vendor's refusal means, decided once for all of them: a status, an error code in a body, or whatever was thrown
 * while an answer was read, becomes a `ProviderFailure`.
 */
import * as z from "zod";
import { ProviderError, type ProviderErrorKind, type ProviderFailure } from "../../ports/model-provider.ts";
import { failureOf, type Vendor } from "./errors.ts";

const MAX_RETRY_AFTER_MS = 3_600_000;

/** What the vendors' `code` and `type` mean, each looked at whole. They win over the status. */
const CODE_TABLE: [RegExp, ProviderErrorKind][] = [
  [
    /^(context_length_exceeded|context_window_exceeded|exceed_context_size(_error)?|request_too_large|1261)$/,
    "context_too_large",
  ],
  [/^(insufficient_(quota|balance|credits)|billing_\w+|1113)$/, "quota_exceeded"],
  [/^(authentication_error|invalid_api_key)$/, "unauthenticated"],
  [/^permission_(error|denied)$/, "forbidden"],
  [/^(model_not_found|not_found_error)$/, "not_found"],
  [/^rate_limit(_\w+)?$/, "rate_limited"],
  [/^(server_is_|engine_)?overloaded(_error)?$/, "overloaded"],
  [/^invalid_prompt$/, "invalid_request"],
];

/**
 * Phrases for where neither code nor status tells. What would speak against the account must stand at the beginning:
 * behind it vendors repeat what they were sent, and that is anybody's text.
 */
const PHRASES: [RegExp, ProviderErrorKind][] = [
  [
    /prompt is too long|maximum context length|exceeds? the (available )?context|context_length_exceeded|exceed_context_size/i,
    "context_too_large",
  ],
  [/^(your )?(credit balance is too low|insufficient (credits|balance|quota))/i, "quota_exceeded"],
  [/^(incorrect api key|invalid api key|api key not valid)/i, "unauthenticated"],
  [/^(the )?(server|engine|model) is (currently )?overloaded/i, "overloaded"],
  [/model ['"].*['"] not found|pull model manifest: file does not exist/i, "not_found"],
];

const STATUS_TABLE: Readonly<Record<number, ProviderErrorKind>> = {
  401: "unauthenticated",
  402: "quota_exceeded",
  403: "forbidden",
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

const kindOfOtherStatus = (status: number): ProviderErrorKind =>
  status >= 500 || status < 400 ? "server_error" : "invalid_request";

const short = z.string().optional().catch(undefined);
const ErrorDetail = z.object({
  type: short,
  code: z
    .union([z.string(), z.number().transform(String)])
    .optional()
    .catch(undefined),
  message: short,
  metadata: z
    .object({ reasons: z.array(z.unknown()) })
    .optional()
    .catch(undefined),
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
  retryable: z.boolean().catch(true),
});

interface Complaint {
  /** Its code and its type, as far as there are any. */
  codes: readonly string[];
  message: string;
  /** A moderation refused what somebody wrote. */
  isFlagged: boolean;
}

const WORDLESS: Complaint = { codes: [], message: "", isFlagged: false };

/** Finds the complaint in any vendor's error body: `{error: {type, code, message}}`, the inner object, or `{error: "text"}`. */
function complaintOf(body: unknown): Complaint | undefined {
  if (typeof body === "string") return { ...WORDLESS, message: body };
  const outer = ErrorBody.safeParse(body);
  if (outer.success && outer.data.error) return complaintOf(outer.data.error);
  const detail = ErrorDetail.safeParse(body);
  if (!detail.success) return undefined;
  const { type, code, message, metadata } = detail.data;
  if (type === undefined && code === undefined && message === undefined) return undefined;
  const codes = [code, type].filter((each) => each !== undefined);
  return { codes, message: message ?? "", isFlagged: metadata !== undefined };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The asked model's name, and what vendors make of it: without its provider in front, without its tag. */
function namesOf(model: string): string[] {
  const parts = model.split("/");
  const tails = parts.map((_, from) => parts.slice(from).join("/"));
  const all = tails.flatMap((tail) => [tail, tail.split(":", 1)[0] ?? ""]);
  return all.filter(Boolean).toSorted((a, b) => b.length - a.length);
}

/** Anybody may ask for a model of any name, and vendors repeat it: no phrase counts that stands in that name. */
function kindOfPhrase(message: string, model: string): ProviderErrorKind | undefined {
  const names = namesOf(model);
  const lower = message.toLowerCase();
  const text = names.reduce((rest, name) => rest.replaceAll(name.toLowerCase(), " "), lower).replace(/^[\s"'`]+/, "");
  const of = (words: string) => PHRASES.find(([pattern]) => pattern.test(words))?.[1];
  return names.some((name) => of(name) !== undefined) ? undefined : of(text);
}

/** By what is meant for programs first, by the status next, by the words only where nothing else says. */
function kindOf(complaint: Complaint, status: number | undefined, model: string): ProviderErrorKind | undefined {
  const coded = complaint.codes.flatMap(
    (code) => CODE_TABLE.find(([pattern]) => pattern.test(code.toLowerCase()))?.[1] ?? [],
  )[0];
  const told = coded ?? (status === undefined ? undefined : STATUS_TABLE[status]);
  if (told !== "forbidden") return told ?? kindOfPhrase(complaint.message, model);
  // A list is nothing that could be forbidden to some: there it is the key.
  if (model === "") return "unauthenticated";
  return complaint.isFlagged ? "invalid_request" : "forbidden";
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
  const { code, detail, retryable } = problem.data;
  return failureOf(CONNECTOR_CODES[code], vendor, {
    isFinal: !retryable,
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
  const kind = kindOf(complaint ?? WORDLESS, status, answer.model ?? "") ?? kindOfOtherStatus(status);
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
  const numeric = complaint.codes.map(Number).find((code) => code >= 400 && code < 600);
  const isOurs = complaint.codes.includes("invalid_request_error");
  const rest = isOurs ? "invalid_request" : numeric === undefined ? "server_error" : kindOfOtherStatus(numeric);
  const kind = kindOf(complaint, numeric, model ?? "") ?? rest;
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
