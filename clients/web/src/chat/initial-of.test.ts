import { expect, test } from "vitest";
import { initialOf } from "./initial-of.ts";

test.each([
  ["ada", "A"],
  [" émile", "É"],
  ["e\u0301mile", "E\u0301"],
  ["🎈 balloon", "🎈"],
  ["👩‍🚀 Eve", "👩‍🚀"],
  ["", ""],
])("of %j is %j, never half a character", (name, initial) => {
  expect(initialOf(name)).toBe(initial);
});
