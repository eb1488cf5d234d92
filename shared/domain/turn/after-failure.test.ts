import { describe, expect, it } from "vitest";
import { afterFailure, MAX_CONTINUATIONS } from "./after-failure.ts";

const failure = (kind: Parameters<typeof afterFailure>[0]["failures"][number]["kind"]) => ({
  kind,
  message: "no",
  retryable: true,
});
const following = { kind: "openai" as const };
const facts = { shown: false, answered: false, began: false, tries: 1, continuations: 0, following };
const guide = { kind: "guide" as const };

describe("after a provider failed", () => {
  it("asks the next provider at once as long as no text was shown", () => {
    expect(afterFailure({ ...facts, failures: [failure("rate_limited")] }).kind).toBe("reroute");
    expect(afterFailure({ ...facts, began: true, failures: [failure("stream_cut")] }).kind).toBe("reroute");
  });

  it("asks the only provider again where it had begun, once", () => {
    const alone = { ...facts, began: true, following: null, failures: [failure("stream_cut")] };
    expect(afterFailure(alone).kind).toBe("again");
    expect(afterFailure({ ...alone, tries: 2 }).kind).toBe("give-up");
    expect(afterFailure({ ...alone, began: false }).kind).toBe("give-up");
  });

  it("continues shown text at the same model once, then at the next ones, a bounded number of times", () => {
    const shown = { ...facts, shown: true, answered: true, began: true, failures: [failure("stream_cut")] };
    expect(afterFailure(shown).kind).toBe("again");
    expect(afterFailure({ ...shown, tries: 2 }).kind).toBe("reroute");
    expect(afterFailure({ ...shown, tries: 2, following: null }).kind).toBe("give-up");
    expect(afterFailure({ ...shown, continuations: MAX_CONTINUATIONS }).kind).toBe("give-up");
    expect(afterFailure({ ...shown, failures: [failure("rate_limited")] }).kind).toBe("reroute");
  });

  it("lets the guide answer only where nobody could be reached, and only from the first word", () => {
    expect(afterFailure({ ...facts, following: guide, failures: [failure("unreachable")] }).kind).toBe("reroute");
    expect(
      afterFailure({ ...facts, following: guide, failures: [failure("unreachable"), failure("unauthenticated")] }).kind,
    ).toBe("give-up");
    expect(afterFailure({ ...facts, answered: true, following: guide, failures: [failure("unreachable")] }).kind).toBe(
      "give-up",
    );
  });

  it("does not try elsewhere what fails everywhere", () => {
    expect(afterFailure({ ...facts, failures: [failure("invalid_request")] }).kind).toBe("give-up");
  });
});
