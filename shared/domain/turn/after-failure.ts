import type { TurnError } from "../../contract/events.ts";
import type { ProviderKind } from "../../contract/model.ts";
import type { ProviderFailure } from "../model/provider-failure.ts";

/** Lines of the guide's instructions that begin so say why no language model answers. */
export const GUIDE_NOTE = "unreachable: ";
/** How often one answer is taken up again after its stream broke. */
const MAX_CONTINUATIONS = 2;

export type AfterFailure = { kind: "continue" } | { kind: "reroute" } | { kind: "give-up" };

const BROKEN_MIDWAY = new Set(["stream_cut", "timeout", "server_error", "overloaded", "unreachable", "protocol"]);
/** Nobody there at all; anything else is an answer that the user must hear about. */
const NOBODY_THERE = new Set(["unreachable", "timeout"]);
/** The same request fails everywhere alike. */
const HOPELESS = new Set(["aborted", "invalid_request"]);

/**
 * What to do after a provider failed. Before any text was shown the next one of the plan is asked; the guide only
 * where nobody could be reached. After that, the answer is continued with a visible seam, a bounded number of times.
 */
export function afterFailure(facts: {
  failures: readonly ProviderFailure[];
  shown: boolean;
  continuations: number;
  following: { kind: ProviderKind } | null;
}): AfterFailure {
  const last = facts.failures.at(-1);
  if (!last || HOPELESS.has(last.kind)) return { kind: "give-up" };
  if (facts.shown) {
    const again = BROKEN_MIDWAY.has(last.kind) && facts.continuations < MAX_CONTINUATIONS;
    return again ? { kind: "continue" } : { kind: "give-up" };
  }
  if (!facts.following) return { kind: "give-up" };
  const nobody = facts.failures.every((failure) => NOBODY_THERE.has(failure.kind));
  return facts.following.kind !== "guide" || nobody ? { kind: "reroute" } : { kind: "give-up" };
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
