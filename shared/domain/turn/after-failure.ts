import type { TurnError } from "../../contract/events.ts";
import type { ProviderKind } from "../../contract/model.ts";
import type { ProviderErrorKind, ProviderFailure } from "../model/provider-failure.ts";

/** Lines of the guide's instructions that begin so say why no language model answers. */
export const GUIDE_NOTE = "unreachable: ";

/** How often one model is asked to go on with text that it has shown, before another does. */
const MAX_GOING_ON = 2;
/** How often the last model of the plan is asked for the same step; where it has shown text, with more patience. */
export const MAX_TRIES = 3;
export const MAX_TRIES_SHOWN = 6;
/** Seams that the failures of one execution may leave. */
export const MAX_CONTINUATIONS = 4;

const FIRST_DELAY_MS = 500;
/** Who asks for more patience than this is not waited for. */
export const LONGEST_DELAY_MS = 30_000;

export type AfterFailure = { kind: "again"; delayMs: number } | { kind: "reroute" } | { kind: "give-up" };

const BROKEN_MIDWAY = new Set<ProviderErrorKind>([
  "stream_cut",
  "timeout",
  "server_error",
  "overloaded",
  "unreachable",
  "protocol",
]);
/** What may be over in a moment. */
const PASSING = new Set<ProviderErrorKind>([...BROKEN_MIDWAY, "rate_limited"]);
/** Nobody there at all; anything else is an answer that the user must hear about. */
const NOBODY_THERE = new Set<ProviderErrorKind>(["unreachable", "timeout"]);

export interface FailureFacts {
  failures: readonly ProviderFailure[];
  /** Whether this step has shown text. */
  shown: boolean;
  /** Whether the answer has anything at all, from this step or an earlier one. */
  answered: boolean;
  /** How often this model was asked for this step. */
  tries: number;
  /** Seams until now. */
  continuations: number;
  following: { kind: ProviderKind } | null;
  /** It was thought to be down before it was asked: one chance is enough. */
  doubtful: boolean;
  /** From 0 up to 1: spreads those who were refused together. */
  random: number;
}

/**
 * What to do after a provider failed. Before the step showed text, the next one of the plan is asked at once; the last
 * one is asked again after a while, a few times, as long as what went wrong may pass. After that the text stays: the
 * same model goes on at once, then the next ones of the plan; the last one gets as long as a machine takes that was
 * started again. The guide answers only from the first word, and only where nobody could be reached: it would not go on
 * in the model's voice.
 */
export function afterFailure(facts: FailureFacts): AfterFailure {
  const { failures, shown, answered, tries, continuations, following } = facts;
  const last = failures.at(-1);
  if (!last || last.kind === "aborted") return { kind: "give-up" };
  if (shown && continuations >= MAX_CONTINUATIONS) return { kind: "give-up" };
  const isOther = following !== null && following.kind !== "guide";
  const mayGoOn = last.retryable && BROKEN_MIDWAY.has(last.kind) && !(isOther && last.kind === "unreachable");
  if (shown && mayGoOn && tries < MAX_GOING_ON) return { kind: "again", delayMs: 0 };
  if (isOther) return { kind: "reroute" };
  const delayMs = patienceFor(last, facts);
  if (delayMs !== null) return { kind: "again", delayMs };
  if (!following || answered || shown) return { kind: "give-up" };
  return failures.every((failure) => NOBODY_THERE.has(failure.kind)) ? { kind: "reroute" } : { kind: "give-up" };
}

/**
 * Who of the plan may be asked after the one at `index`, as indexes in its order. What a vendor refused because of the
 * request itself it refuses again; another may take it.
 */
export function followersOf(
  plan: readonly { kind: ProviderKind }[],
  index: number,
  failed: ProviderErrorKind,
): number[] {
  const asked = plan[index]?.kind;
  // Behind each address that speaks OpenAI's API is somebody else's program.
  const isOther = (kind: ProviderKind): boolean => kind !== asked || kind === "openai-compatible";
  return plan.flatMap(({ kind }, at) => (at > index && (failed !== "invalid_request" || isOther(kind)) ? [at] : []));
}

/** How long to wait before the last model of the plan is asked again; null where that is of no use. */
function patienceFor(
  { kind, retryable, retryAfterMs }: ProviderFailure,
  { tries, shown, doubtful, random }: FailureFacts,
): number | null {
  if (doubtful || !retryable || tries >= (shown ? MAX_TRIES_SHOWN : MAX_TRIES) || !PASSING.has(kind)) return null;
  const jittered = FIRST_DELAY_MS * 2 ** (tries - 1) * (0.5 + random);
  const delayMs = Math.ceil(Math.max(retryAfterMs ?? 0, jittered));
  return delayMs <= LONGEST_DELAY_MS ? delayMs : null;
}

const CODES: Partial<Record<ProviderErrorKind, TurnError["code"]>> = {
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
