import * as oauth from "oauth4webapi";
import type { Granted, LoginTrouble } from "../../ports/login-endpoints.ts";
import { NoAnswer } from "./vendor-fetch.ts";

type Refusal = Extract<Granted, { ok: false }>;

/** RFC 6749 5.2 and 4.1.2.1, RFC 8628 3.5, and what vendors say instead. What is in no table says little about the login. */
const CODES: Readonly<Record<string, LoginTrouble>> = {
  authorization_pending: "pending",
  slow_down: "slow-down",
  access_denied: "refused",
  consent_required: "refused",
  expired_token: "expired",
  invalid_grant: "refused",
  refresh_token_expired: "refused",
  refresh_token_reused: "refused",
  refresh_token_invalidated: "refused",
  server_error: "unavailable",
  temporarily_unavailable: "unavailable",
};

const MAX_DETAIL_LENGTH = 200;

/** What a vendor says, fit for a sentence: one line, short, without anything that could be a token. */
function plain(text: string): string {
  const line = text
    .replaceAll(/[^\x20-\x7e\u00a0-\uffff]+/g, " ")
    .replaceAll(/[\w\-.~+/=%]{24,}/g, "[hidden]")
    .trim()
    .replace(/\.$/, "");
  return line.length > MAX_DETAIL_LENGTH ? `${line.slice(0, MAX_DETAIL_LENGTH)}…` : line;
}

const SENTENCES: Readonly<Record<LoginTrouble, (vendor: string, detail: string) => string>> = {
  pending: (vendor) => `Nobody has approved this login at ${vendor} yet.`,
  "slow-down": (vendor) => `Nobody has approved this login at ${vendor} yet.`,
  refused: (vendor, detail) => `${vendor} refused this login (${detail}); log in again.`,
  expired: (vendor) => `The time for this login at ${vendor} is over; start it again.`,
  misconfigured: (vendor, detail) =>
    `${vendor} does not take logins from this Mosaic as it is set up (${detail}); the operator must check PROVIDER_LOGINS.`,
  unavailable: (vendor, detail) => `${vendor}'s login is out of order (${detail}); try again in a moment.`,
};

/** A refusal that the vendor named by a code of the standard. */
export function refusalOf(vendor: string, code: string, description?: string | null): Refusal {
  const why = CODES[code] ?? "misconfigured";
  const detail = [code, description ?? ""].map(plain).filter(Boolean).join(": ");
  return { ok: false, why, message: SENTENCES[why](vendor, detail) };
}

function noAnswer(vendor: string, { message, isFinal, retryAfterMs }: NoAnswer): Refusal {
  if (isFinal) return { ok: false, why: "misconfigured", message: SENTENCES.misconfigured(vendor, `it ${message}`) };
  const sentence = `${vendor}'s login ${message}; try again in a moment.`;
  return { ok: false, why: "unavailable", message: sentence, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

/** Whatever was thrown on the way to a vendor, decided once. */
export function troubleOf(vendor: string, error: unknown): Refusal {
  if (error instanceof NoAnswer) return noAnswer(vendor, error);
  if (error instanceof oauth.ResponseBodyError || error instanceof oauth.AuthorizationResponseError)
    return refusalOf(vendor, error.error, error.error_description);
  return noAnswer(vendor, new NoAnswer("answered with something else than a login's answer"));
}
