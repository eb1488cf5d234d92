import { expect, test } from "vitest";
import { visibleText } from "./visible-text.ts";

test("what is invisible or turns text around is written out, and nothing else changes", () => {
  expect(visibleText('{"a":\n\t"ü 漢 👍"}')).toBe('{"a":\n\t"ü 漢 👍"}');
  expect(visibleText("safe\u202etxt.exe")).toBe("safe\\u202etxt.exe");
  expect(visibleText("a\u200bb\u0007c\u2066d\rE\u{e0041}")).toBe("a\\u200bb\\u0007c\\u2066d\\u000dE\\ue0041");
});
