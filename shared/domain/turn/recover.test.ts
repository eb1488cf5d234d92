import { describe, expect, it } from "vitest";
import { afterFailure } from "./after-failure.ts";
import { MAX_RESTARTS, recoverTurn, TURN_BUDGET_MS } from "./recover.ts";

const text = [{ type: "text" as const, text: "half an ans" }];

describe("recovering a turn", () => {
  it("runs the step again when nothing was shown", () => {
    expect(recoverTurn({ startedAtMs: 0, restarts: 0, parts: [] }, 1_000)).toEqual({ kind: "rerun" });
    expect(recoverTurn({ startedAtMs: 0, restarts: 0, parts: [{ type: "thinking", text: "hm" }] }, 1_000).kind).toBe(
      "rerun",
    );
  });

  it("continues what was shown instead of writing it anew", () => {
    expect(recoverTurn({ startedAtMs: 0, restarts: 1, parts: text }, 1_000)).toEqual({ kind: "continue" });
  });

  it("ends after its budget of time and after too many restarts, and says why", () => {
    expect(recoverTurn({ startedAtMs: 0, restarts: 0, parts: [] }, TURN_BUDGET_MS + 1)).toMatchObject({
      kind: "give-up",
      why: expect.any(String),
    });
    expect(recoverTurn({ startedAtMs: 0, restarts: MAX_RESTARTS, parts: text }, 1_000).kind).toBe("give-up");
  });
});

describe("after a provider failed", () => {
  const failure = (kind: Parameters<typeof afterFailure>[0]["failures"][number]["kind"]) => ({
    kind,
    message: "no",
    retryable: true,
  });
  const facts = { shown: false, continuations: 0, following: { kind: "openai" as const } };

  it("asks the next provider as long as no text was shown", () => {
    expect(afterFailure({ ...facts, failures: [failure("rate_limited")] }).kind).toBe("reroute");
  });

  it("never takes back text that was shown, but continues it, a bounded number of times", () => {
    expect(afterFailure({ ...facts, shown: true, failures: [failure("stream_cut")] }).kind).toBe("continue");
    expect(afterFailure({ ...facts, shown: true, continuations: 2, failures: [failure("stream_cut")] }).kind).toBe(
      "give-up",
    );
  });

  it("lets the guide answer only where nobody could be reached", () => {
    const guide = { kind: "guide" as const };
    expect(afterFailure({ ...facts, following: guide, failures: [failure("unreachable")] }).kind).toBe("reroute");
    expect(
      afterFailure({ ...facts, following: guide, failures: [failure("unreachable"), failure("unauthenticated")] }).kind,
    ).toBe("give-up");
  });

  it("does not try elsewhere what fails everywhere", () => {
    expect(afterFailure({ ...facts, failures: [failure("invalid_request")] }).kind).toBe("give-up");
  });
});
