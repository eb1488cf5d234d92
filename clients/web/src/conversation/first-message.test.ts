import { expect, test } from "vitest";
import { titleFrom } from "./first-message.ts";

test("names a conversation after its first line, cut between words", () => {
  expect(titleFrom("  What is\ta log? \nAnd more")).toBe("What is a log?");
  const long = titleFrom("word ".repeat(40));
  expect(long.length).toBeLessThanOrEqual(61);
  expect(long).toMatch(/^(word )+word…$/);
});

test("never leaves half a character at the cut", () => {
  expect(titleFrom("😀".repeat(80)).isWellFormed()).toBe(true);
  expect(titleFrom(`a${"😀".repeat(80)}`).isWellFormed()).toBe(true);
});
