/**
 * What went wrong at a vendor, decided once for all of them: a status, an error code in a body or a broken connection
 * becomes a `ProviderFailure` with one sentence that tells its reader what to do.
 */
import * as z from "zod";
import { ProviderError, type ProviderErrorKind, type ProviderFailure } from "../../ports/model-provider.ts";

/** What the sentences need to know of a vendor. `secret` is only used to keep it out of them. */
export interface Vendor {
  name: string;
  baseUrl: string;
  /** The setting that holds the address. */
  baseUrlSetting: string;
  /** The setting that holds the key; null where there is none. */
  keySetting: string | null;
  secret?: string;
}

const RETRYABLE: ReadonlySet<ProviderErrorKind> = new Set([
  "rate_limited",
  "overloaded",
  "server_error",
  "unreachable",
  "timeout",
  "stream_cut",
  "protocol",
]);
const MAX_RETRY_AFTER_MS = 3_600_000;
const MAX_DETAIL_LENGTH = 300;

/** Codes, types and phrases found in error bodies, the most telling first. They win over the status. */
const BODY_TABLE: [RegExp, ProviderErrorKind][] = [
  [
    /context_length_exceeded|context_window|prompt is too long|maximum context length|exceeds? the context/i,
    "context_too_large",
  ],
  [/\b1261\b|request_too_large/i, "context_too_large"],
  [/insufficient_quota|insufficient_balance|billing|credit balance|insufficient credits|\b1113\b/i, "quota_exceeded"],
  [/authentication_error|invalid_api_key|permission_error|incorrect api key/i, "unauthenticated"],
  [/model_not_found|not_found_error|model ['"].*['"] not found/i, "not_found"],
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

/** A vendor's own words, fit for one sentence: on one line, short, without keys. */
function quote(vendor: Vendor, text: string): string {
  const withoutSecret = vendor.secret ? text.replaceAll(vendor.secret, "…") : text;
  const clean = withoutSecret
    .replace(/\b(sk|key|pk)[-_][\w*.-]{6,}/gi, "…")
    .replace(/\bBearer\s+\S+/gi, "Bearer …")
    .replace(/\s+/g, " ")
    .trim();
  return clean.length > MAX_DETAIL_LENGTH ? `${clean.slice(0, MAX_DETAIL_LENGTH)}…` : clean;
}

/** Scheme and host only: an address may carry a password or a token. */
function hostOf(baseUrl: string): string {
  return URL.canParse(baseUrl) ? new URL(baseUrl).origin : "its address";
}

interface SentenceFacts {
  status?: number;
  detail?: string;
  model?: string;
  retryAfterMs?: number;
}

type Sentence = (vendor: Vendor, facts: SentenceFacts) => string;

const at = (facts: SentenceFacts) => (facts.status === undefined ? "" : ` (${facts.status})`);
const saying = (facts: SentenceFacts) => (facts.detail ? `: ${facts.detail}` : "");
const waiting = (facts: SentenceFacts) =>
  facts.retryAfterMs === undefined ? "Wait a little" : `Wait ${Math.ceil(facts.retryAfterMs / 1000)} s`;

const SENTENCES: Readonly<Record<ProviderErrorKind, Sentence>> = {
  unauthenticated: (vendor, facts) =>
    vendor.keySetting
      ? `${vendor.name} refused the API key${at(facts)}. Set ${vendor.keySetting} to a valid key and restart.`
      : `${vendor.name} at ${hostOf(vendor.baseUrl)} asks for a sign-in${at(facts)}. Check ${vendor.baseUrlSetting}.`,
  not_found: (vendor, facts) =>
    facts.model
      ? `${vendor.name} does not know the model "${facts.model}"${at(facts)}. Choose another model, or check ${vendor.baseUrlSetting}.`
      : `${vendor.name} has nothing at this address${at(facts)}. Check ${vendor.baseUrlSetting}.`,
  invalid_request: (vendor, facts) =>
    `${vendor.name} did not accept the request${at(facts)}${saying(facts) || ". Try another model"}`.replace(
      /([^.…])$/,
      "$1.",
    ),
  context_too_large: (vendor, facts) =>
    `The conversation is too long for ${facts.model ?? "this model"} at ${vendor.name}${at(facts)}. Start a new conversation or choose a model with a larger context.`,
  rate_limited: (vendor, facts) =>
    `${vendor.name} limits the rate of requests${at(facts)}. ${waiting(facts)} and try again, or choose another model.`,
  quota_exceeded: (vendor, facts) =>
    `The account at ${vendor.name} has no credit left${at(facts)}. Top it up there, or choose another provider.`,
  overloaded: (vendor, facts) =>
    `${vendor.name} is overloaded${at(facts)}. ${waiting(facts)} and try again, or choose another model.`,
  server_error: (vendor, facts) =>
    `${vendor.name} failed${at(facts)}${saying(facts)}. Try again, or choose another model.`.replace("..", "."),
  unreachable: (vendor) =>
    `${vendor.name} cannot be reached at ${hostOf(vendor.baseUrl)}. Check the network and ${vendor.baseUrlSetting}.`,
  timeout: (vendor, facts) => `${vendor.name} did not answer in time${at(facts)}. Try again, or choose another model.`,
  stream_cut: (vendor) => `The connection to ${vendor.name} ended before the answer did. Try again.`,
  protocol: (vendor, facts) =>
    `${vendor.name} at ${hostOf(vendor.baseUrl)} sent something that is not an answer in its format${saying(facts)}. Check ${vendor.baseUrlSetting}.`,
  aborted: () => "The answer was stopped.",
};

/** A failure of this kind in words. */
export function failureOf(kind: ProviderErrorKind, vendor: Vendor, facts: SentenceFacts = {}): ProviderFailure {
  const detail = facts.detail ? quote(vendor, facts.detail) : undefined;
  return {
    kind,
    message: SENTENCES[kind](vendor, { ...facts, ...(detail ? { detail } : {}) }),
    retryable: RETRYABLE.has(kind),
    ...(facts.retryAfterMs === undefined ? {} : { retryAfterMs: facts.retryAfterMs }),
    ...(facts.status === undefined ? {} : { status: facts.status }),
  };
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

/** An HTTP answer that is not the wanted one. `body` is its text, perhaps cut short. */
export function failureOfResponse(
  vendor: Vendor,
  answer: { status: number; headers: Headers; body: string; now: number; model?: string },
): ProviderFailure {
  const complaint = complaintOf(parseJson(answer.body));
  const retryAfterMs = retryAfterMsOf(answer.headers, answer.now);
  const kind = kindOfComplaint(complaint) ?? kindOfStatus(answer.status);
  return failureOf(kind, vendor, {
    status: answer.status,
    ...(complaint?.message ? { detail: complaint.message } : {}),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(answer.model === undefined ? {} : { model: answer.model }),
  });
}

function kindOfComplaint(complaint: Complaint | undefined): ProviderErrorKind | undefined {
  if (!complaint) return undefined;
  const text = `${complaint.codes} ${complaint.message}`;
  return BODY_TABLE.find(([pattern]) => pattern.test(text))?.[1];
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
