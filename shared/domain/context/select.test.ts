import { describe, expect, it } from "vitest";
import { aMessage } from "../../testing/builders.ts";
import { inputBudget, selectContext } from "./select.ts";

const long = "word ".repeat(1_000);

describe("selecting the context", () => {
  it("takes everything that fits", () => {
    const path = [aMessage(), aMessage({ role: "assistant" }), aMessage()];
    expect(selectContext(path, 100_000)).toMatchObject({ messages: path, leftOut: 0 });
  });

  it("leaves out the oldest first and never exceeds the window", () => {
    const path = Array.from({ length: 20 }, (_each, index) =>
      aMessage({ role: index % 2 ? "assistant" : "user", text: long }),
    );
    const selection = selectContext(path, 10_000);
    expect(selection.usedTokens).toBeLessThanOrEqual(inputBudget(10_000));
    expect(selection.messages.at(-1)).toBe(path.at(-1));
    expect(selection.leftOut).toBeGreaterThan(0);
  });

  it("does not begin with an answer whose question was left out", () => {
    const path = Array.from({ length: 21 }, (_each, index) =>
      aMessage({ role: index % 2 ? "assistant" : "user", text: long }),
    );
    for (const window of [6_000, 7_500, 9_000, 12_000])
      expect(selectContext(path, window).messages[0]?.role).toBe("user");
  });

  it("keeps the message to answer even when it alone is too long", () => {
    const last = aMessage({ text: long.repeat(20) });
    expect(selectContext([aMessage(), last], 4_000).messages).toEqual([last]);
  });
});
