import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PROVIDER_ERROR_KINDS, type ProviderErrorKind } from "../model/provider-failure.ts";
import {
  afterFailure,
  type FailureFacts,
  followersOf,
  LONGEST_DELAY_MS,
  MAX_CONTINUATIONS,
  MAX_TRIES,
  MAX_TRIES_SHOWN,
} from "./after-failure.ts";

const failure = (kind: ProviderErrorKind, retryAfterMs?: number) => ({
  kind,
  message: "no",
  retryable: true,
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
});
const facts: FailureFacts = {
  failures: [failure("server_error")],
  shown: false,
  answered: false,
  tries: 1,
  continuations: 0,
  following: { kind: "openai" },
  doubtful: false,
  random: 0.5,
};
const guide = { kind: "guide" as const };

describe("after a provider failed", () => {
  it.each(PROVIDER_ERROR_KINDS.filter((kind) => kind !== "aborted"))(
    "asks the next provider at once after %s, as long as no text was shown",
    (kind) => expect(afterFailure({ ...facts, failures: [failure(kind, 20_000)] })).toEqual({ kind: "reroute" }),
  );

  it("asks the last provider again after a while that grows, a few times", () => {
    const alone = { ...facts, following: null };
    const delays = [1, 2, 3].map((tries) => afterFailure({ ...alone, tries }));
    expect(delays).toEqual([{ kind: "again", delayMs: 500 }, { kind: "again", delayMs: 1_000 }, { kind: "give-up" }]);
    expect(delays.length).toBe(MAX_TRIES);
  });

  it("asks nobody again of whom it is known to be of no use, shown or not", () => {
    const removed = { ...failure("unreachable"), retryable: false };
    for (const shown of [false, true]) {
      expect(afterFailure({ ...facts, following: null, shown, failures: [removed] })).toEqual({ kind: "give-up" });
      expect(afterFailure({ ...facts, shown, failures: [removed] })).toEqual({ kind: "reroute" });
    }
  });

  it("never waits less than the vendor asks for, nor longer than half a minute", () => {
    const kinds = fc.constantFrom(...PROVIDER_ERROR_KINDS);
    const asked = fc.option(fc.integer({ min: 0, max: 100_000 }), { nil: undefined });
    const random = fc.double({ min: 0, max: 0.999, noNaN: true });
    fc.assert(
      fc.property(kinds, asked, random, fc.integer({ min: 1, max: 4 }), (kind, retryAfterMs, draw, tries) => {
        const next = afterFailure({
          ...facts,
          following: null,
          failures: [failure(kind, retryAfterMs)],
          tries,
          random: draw,
        });
        if (next.kind !== "again") return;
        expect(next.delayMs).toBeGreaterThanOrEqual(retryAfterMs ?? 1);
        expect(next.delayMs).toBeLessThanOrEqual(LONGEST_DELAY_MS);
        expect(tries).toBeLessThan(MAX_TRIES);
      }),
    );
  });

  it("does not wait for one that does not change its mind, nor for one that was down before", () => {
    const alone = { ...facts, following: null };
    for (const kind of ["unauthenticated", "not_found", "quota_exceeded", "context_too_large"] as const)
      expect(afterFailure({ ...alone, failures: [failure(kind)] }).kind).toBe("give-up");
    expect(afterFailure({ ...alone, doubtful: true }).kind).toBe("give-up");
  });

  it("continues shown text at the same model once, then at the next ones, a bounded number of times", () => {
    const shown = { ...facts, shown: true, answered: true, failures: [failure("stream_cut")] };
    expect(afterFailure(shown)).toEqual({ kind: "again", delayMs: 0 });
    expect(afterFailure({ ...shown, tries: 2 }).kind).toBe("reroute");
    expect(afterFailure({ ...shown, failures: [failure("unreachable")] }).kind).toBe("reroute");
    expect(afterFailure({ ...shown, continuations: MAX_CONTINUATIONS }).kind).toBe("give-up");
    expect(afterFailure({ ...shown, failures: [failure("rate_limited")] }).kind).toBe("reroute");
  });

  it("gives the last one time to come back in the middle of its text, and nobody speaks for it", () => {
    const shown = { ...facts, shown: true, answered: true, following: guide, failures: [failure("unreachable")] };
    const delays = [1, 2, 3, 4, 5].map((tries) => afterFailure({ ...shown, tries }));
    expect(delays).toEqual([0, 1_000, 2_000, 4_000, 8_000].map((delayMs) => ({ kind: "again", delayMs })));
    expect(afterFailure({ ...shown, tries: MAX_TRIES_SHOWN }).kind).toBe("give-up");
  });

  it("lets the guide answer only where nobody could be reached, in the end, and only from the first word", () => {
    const gone = { ...facts, following: guide, failures: [failure("unreachable")] };
    expect(afterFailure(gone).kind).toBe("again");
    expect(afterFailure({ ...gone, tries: MAX_TRIES }).kind).toBe("reroute");
    expect(afterFailure({ ...gone, doubtful: true }).kind).toBe("reroute");
    const refused = [failure("unreachable"), failure("unauthenticated")];
    expect(afterFailure({ ...gone, failures: refused }).kind).toBe("give-up");
    expect(afterFailure({ ...gone, tries: MAX_TRIES, answered: true }).kind).toBe("give-up");
  });

  it("asks another vendor what one refused, and never waits for a refusal to pass", () => {
    const refused = { ...facts, failures: [failure("invalid_request")] };
    expect(afterFailure(refused)).toEqual({ kind: "reroute" });
    expect(afterFailure({ ...refused, following: null })).toEqual({ kind: "give-up" });
    expect(afterFailure({ ...refused, following: guide })).toEqual({ kind: "give-up" });
    expect(afterFailure({ ...refused, shown: true, answered: true, following: null })).toEqual({ kind: "give-up" });
  });

  it("does nothing more for a request that we ended ourselves", () => {
    expect(afterFailure({ ...facts, failures: [failure("aborted")] }).kind).toBe("give-up");
  });
});

describe("who of the plan comes next", () => {
  const plan = (["anthropic", "anthropic", "openai-compatible", "openai-compatible", "guide"] as const).map((kind) => ({
    kind,
  }));

  it("is simply the next, but after a refusal one of another vendor", () => {
    expect(followersOf(plan, 0, "server_error")).toEqual([1, 2, 3, 4]);
    expect(followersOf(plan, 0, "invalid_request")).toEqual([2, 3, 4]);
    expect(followersOf(plan.slice(0, 2), 0, "invalid_request")).toEqual([]);
  });

  it("takes each server of nobody's in particular for a vendor of its own", () => {
    expect(followersOf(plan, 2, "invalid_request")).toEqual([3, 4]);
  });
});
