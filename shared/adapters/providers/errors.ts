/**
 * What went wrong at a vendor, in words: one sentence that tells its reader what to do, and where. Whose instance it is
 * decides what they can do about it. The only place with such sentences.
 */
import type { ConnectableKind } from "../../contract/provider.ts";
import { checkPublicUrl } from "../../domain/access/url-guard.ts";
import type { ProviderErrorKind, ProviderFailure } from "../../ports/model-provider.ts";
import { HIDDEN, hideInSentence } from "./hide-secrets.ts";
import { VENDORS } from "./vendors.ts";

/** What the sentences need to know of an instance. `secrets` are only used to keep them out. */
export interface Vendor {
  /** How it is called at the start of a sentence. */
  name: string;
  kind: ConnectableKind;
  baseUrl: string;
  /** What its owner called it; null for the environment's. */
  displayName: string | null;
  isLogin: boolean;
  isConnector: boolean;
  /** Filled once the secret is opened for a call; the object lives no longer than that call. */
  secrets: string[];
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
const MAX_DETAIL_LENGTH = 300;

/** A vendor's own words, fit for one sentence: on one line, short, without keys. */
function quote(vendor: Vendor, text: string): string {
  const clean = hideInSentence(vendor.secrets, text)
    .replace(/\b(sk|key|pk)[-_][\w*.-]{6,}/gi, "…")
    .replace(/\bBearer\s+\S+/gi, "Bearer …")
    .replace(/\s+/g, " ")
    .trim();
  return clean.length > MAX_DETAIL_LENGTH ? `${clean.slice(0, MAX_DETAIL_LENGTH)}…` : clean;
}

/** Where a redirect points: scheme and host alone, and only where these tell no secret and nobody's own network. */
function pointedTo(vendor: Vendor, url: string): string {
  const verdict = checkPublicUrl(url);
  const origin = verdict.ok ? hideInSentence(vendor.secrets, verdict.url.origin) : HIDDEN;
  return origin.includes(HIDDEN) ? "another address" : origin;
}

export interface SentenceFacts {
  status?: number;
  detail?: string;
  model?: string;
  retryAfterMs?: number;
  /** Where a redirect pointed. */
  redirectedTo?: string;
  /** The machine behind a connector is not there. */
  isMachineAway?: boolean;
  /** Asking again is of no use, whatever the kind. */
  isFinal?: boolean;
  /** A whole sentence from our own connector, which knows its machine. */
  sentence?: string;
  /** Why no request was made: there is nothing to sign in with. */
  credential?: "missing" | "sealed-by-lost-key" | "damaged" | "login-ended";
  /** Why the address is refused, as the end of a sentence. */
  refusedUrl?: string;
}

type Sentence = (vendor: Vendor, facts: SentenceFacts) => string;

const at = (facts: SentenceFacts) => (facts.status === undefined ? "" : ` (${facts.status})`);
const saying = (facts: SentenceFacts) => (facts.detail ? `: ${facts.detail}` : "");
const ended = (sentence: string) => (/[.…!?]$/.test(sentence) ? sentence : `${sentence}.`);
const waiting = (facts: SentenceFacts) =>
  facts.retryAfterMs === undefined ? "Wait a little" : `Wait ${Math.ceil(facts.retryAfterMs / 1000)} s`;

const settingsOf = (vendor: Vendor) => VENDORS[vendor.kind];
const inSettings = "under Settings, Providers";

/** What to look at when the address may be wrong, as the end of a sentence. */
function checkAddress(vendor: Vendor): string {
  if (vendor.isConnector) return `check what "${vendor.displayName}" points to in the settings of \`mosaic connect\``;
  if (vendor.displayName !== null) return `check the address of "${vendor.displayName}" ${inSettings}`;
  return `check ${settingsOf(vendor).baseUrlSetting ?? "its address"}`;
}
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/**
 * The vendor's own address, which everybody knows. Any other one is told to nobody: a sentence is read by all who may
 * use the instance, and who manages it finds the address in its settings.
 */
function whereIs(vendor: Vendor): string {
  const { baseUrl } = settingsOf(vendor);
  if (baseUrl === null || vendor.isConnector || !URL.canParse(vendor.baseUrl)) return "";
  const { origin } = new URL(vendor.baseUrl);
  return origin === new URL(baseUrl).origin ? ` at ${origin}` : "";
}

function unauthenticated(vendor: Vendor, facts: SentenceFacts): string {
  const { keySetting } = settingsOf(vendor);
  const { displayName } = vendor;
  if (facts.credential === "missing")
    return displayName === null
      ? `${vendor.name} has no API key. Set ${keySetting ?? "its key"} and restart.`
      : `"${displayName}" has no API key. Enter one ${inSettings}.`;
  if (facts.credential === "sealed-by-lost-key")
    return `The key of "${displayName}" was sealed with a key that is not in CREDENTIALS_KEYS any more. Put that one back, or enter the key again ${inSettings}.`;
  if (facts.credential === "damaged")
    return `The saved key of "${displayName}" cannot be opened. Enter it again ${inSettings}.`;
  if (vendor.isLogin || facts.credential === "login-ended")
    return `The login of "${displayName}" at ${vendor.name} has ended${at(facts)}. Log in again ${inSettings}.`;
  if (displayName === null)
    return keySetting
      ? `${vendor.name} refused the API key${at(facts)}. Set ${keySetting} to a valid key and restart.`
      : `${vendor.name}${whereIs(vendor)} asks for a sign-in${at(facts)}. ${capital(checkAddress(vendor))}.`;
  return settingsOf(vendor).isOpen && vendor.secrets.length === 0
    ? `${vendor.name}${whereIs(vendor)} asks for a key${at(facts)}. Enter it for "${displayName}" ${inSettings}.`
    : `${vendor.name} refused the API key${at(facts)}. Change the key of "${displayName}" ${inSettings}.`;
}

function notFound(vendor: Vendor, facts: SentenceFacts): string {
  if (!facts.model) return `${vendor.name} has nothing at this address${at(facts)}. ${capital(checkAddress(vendor))}.`;
  const install = vendor.kind === "ollama" ? `, or install it there with \`ollama pull ${facts.model}\`` : "";
  return `${vendor.name} does not have the model "${facts.model}"${at(facts)}; it may have been withdrawn. Choose another model${install}, or ${checkAddress(vendor)}.`;
}

function unreachable(vendor: Vendor, facts: SentenceFacts): string {
  if (facts.refusedUrl !== undefined)
    return `Mosaic does not call the address of "${vendor.displayName}": ${facts.refusedUrl}. Change it ${inSettings}.`;
  if (facts.isMachineAway)
    return `The machine that "${vendor.displayName}" runs on is not connected; start \`npx mosaic connect\` there.`;
  if (vendor.isConnector)
    return `${vendor.name} cannot be reached on its machine. Start it there, or ${checkAddress(vendor)}.`;
  return `${vendor.name} cannot be reached${whereIs(vendor)}. Check the network and ${checkAddress(vendor).slice("check ".length)}.`;
}

function protocol(vendor: Vendor, facts: SentenceFacts): string {
  if (facts.redirectedTo === undefined)
    return `${vendor.name}${whereIs(vendor)} sent something that is not an answer in its format${saying(facts)}. ${capital(checkAddress(vendor))}.`;
  return `${vendor.name}${whereIs(vendor)} points to ${pointedTo(vendor, facts.redirectedTo)} instead${at(facts)}, where the key is not sent. If that is right, enter the new address: ${checkAddress(vendor)}.`;
}

/** The key may be good for all else, so it is not what comes first. */
function forbidden(vendor: Vendor, facts: SentenceFacts): string {
  const key = vendor.displayName === null ? "its key" : `the key of "${vendor.displayName}" ${inSettings}`;
  return `${ended(`${vendor.name} does not allow this request${at(facts)}${saying(facts)}`)} Choose another model, or check ${key}.`;
}

const SENTENCES: Readonly<Record<ProviderErrorKind, Sentence>> = {
  unauthenticated,
  forbidden,
  not_found: notFound,
  unreachable,
  protocol,
  invalid_request: (vendor, facts) =>
    ended(`${vendor.name} did not accept the request${at(facts)}${saying(facts) || ". Try another model"}`),
  context_too_large: (vendor, facts) =>
    `The conversation is too long for ${facts.model || "this model"} at ${vendor.name}${at(facts)}. Start a new conversation or choose a model with a larger context.`,
  rate_limited: (vendor, facts) =>
    `${vendor.name} limits the rate of requests${at(facts)}. ${waiting(facts)} and try again, or choose another model.`,
  quota_exceeded: (vendor, facts) =>
    `The account at ${vendor.name} has no credit left${at(facts)}. Top it up there, or choose another provider.`,
  overloaded: (vendor, facts) =>
    `${vendor.name} is overloaded${at(facts)}. ${waiting(facts)} and try again, or choose another model.`,
  server_error: (vendor, facts) =>
    `${ended(`${vendor.name} failed${at(facts)}${saying(facts)}`)} Try again, or choose another model.`,
  timeout: (vendor, facts) => `${vendor.name} did not answer in time${at(facts)}. Try again, or choose another model.`,
  stream_cut: (vendor) => `The connection to ${vendor.name} ended before the answer did. Try again.`,
  aborted: () => "The answer was stopped.",
};

/** A failure of this kind in words. */
export function failureOf(kind: ProviderErrorKind, vendor: Vendor, facts: SentenceFacts = {}): ProviderFailure {
  const detail = facts.detail ? quote(vendor, facts.detail) : undefined;
  return {
    kind,
    message: facts.sentence
      ? ended(quote(vendor, facts.sentence))
      : SENTENCES[kind](vendor, { ...facts, ...(detail ? { detail } : {}) }),
    retryable: RETRYABLE.has(kind) && facts.isFinal !== true,
    ...(facts.retryAfterMs === undefined ? {} : { retryAfterMs: facts.retryAfterMs }),
    ...(facts.status === undefined ? {} : { status: facts.status }),
  };
}
