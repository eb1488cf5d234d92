import type { TurnError } from "../../contract/events.ts";
import type { ProviderKind } from "../../contract/model.ts";
import type { ProviderFailure } from "../model/provider-failure.ts";

/** Lines of the guide's instructions that begin so say why no language model answers. */
export const GUIDE_NOTE = "unreachable: ";
/** How often one model is asked for the same step. */
const MAX_TRIES = 2;
/** Seams that the failures of one execution may leave. */
export const MAX_CONTINUATIONS = 4;

export type AfterFailure = { kind: "again" } | { kind: "reroute" } | { kind: "give-up" };

const BROKEN_MIDWAY = new Set(["stream_cut", "timeout", "server_error", "overloaded", "unreachable", "protocol"]);
/** Nobody there at all; anything else is an answer that the user must hear about. */
const NOBODY_THERE = new Set(["unreachable", "timeout"]);
/** The same request fails everywhere alike. */
const HOPELESS = new Set(["aborted", "invalid_request"]);

/**
 * What to do after a provider failed. Before the step showed text, the next one of the plan is asked at once, and the
 * same one again only where it had begun and there is no other. After that the text stays: the same model goes on
 * once, then the next ones of the plan, a bounded number of times. The guide answers only from the first word, and
 * only where nobody could be reached: it would not go on in the model's voice.
 */
export function afterFailure(facts: {
  failures: readonly ProviderFailure[];
  /** Whether this step has shown text. */
  shown: boolean;
  /** Whether the answer has anything at all, from this step or an earlier one. */
  answered: boolean;
  /** Whether the failed stream had brought anything. */
  began: boolean;
  /** How often this model was asked for this step. */
  tries: number;
  /** Seams until now. */
  continuations: number;
  following: { kind: ProviderKind } | null;
}): AfterFailure {
  const { failures, shown, answered, began, tries, continuations, following } = facts;
  const last = failures.at(-1);
  if (!last || HOPELESS.has(last.kind)) return { kind: "give-up" };
  if (shown && continuations >= MAX_CONTINUATIONS) return { kind: "give-up" };
  const next = following && (following.kind !== "guide" || !(answered || shown)) ? following : null;
  const mayRepeat = BROKEN_MIDWAY.has(last.kind) && tries < MAX_TRIES;
  if (mayRepeat && (shown || (began && next === null))) return { kind: "again" };
  if (!next) return { kind: "give-up" };
  const nobody = failures.every((failure) => NOBODY_THERE.has(failure.kind));
  return next.kind !== "guide" || nobody ? { kind: "reroute" } : { kind: "give-up" };
}

const CODES: Partial<Record<ProviderFailure["kind"], TurnError["code"]>> = {
  context_too_large: "context_too_large",
  rate_limited: "rate_limited",
  timeout: "provider_timeout",
  unreachable: "provider_unavailable",
  overloaded: "provider_unavailable",
};

/** How a vendor's failure is told to the user. */
export const errorOfFailure = (failure: ProviderFailure): TurnError => ({
  code: CODES[failure.kind] ?? "provider_failed",
  message: failure.message,
});
