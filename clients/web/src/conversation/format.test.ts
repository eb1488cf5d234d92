import { expect, test } from "vitest";
import { formatCost, formatCount, formatDuration, formatMicroUsd } from "./format.ts";

test.each([
  [0, "$0"],
  [12, "under $0.0001"],
  [420, "$0.0004"],
  [31_000, "$0.031"],
  [1_240_000, "$1.24"],
  [-31_000, "−$0.031"],
])("shows %i micro-dollars as %s", (microUsd, text) => {
  expect(formatMicroUsd(microUsd)).toBe(text);
});

test("shows durations and counts as people say them", () => {
  expect([formatDuration(340), formatDuration(1240), formatDuration(125_000)]).toEqual([
    "340 ms",
    "1.2 s",
    "2 min 5 s",
  ]);
  expect([formatCount(999), formatCount(12_400), formatCount(1_200_000)]).toEqual(["999", "12.4k", "1.2M"]);
});

test("calls free only what surely is, and says nothing where the price is not known", () => {
  expect([formatCost(0, "ollama"), formatCost(0, "guide")]).toEqual(["free", "free"]);
  expect([formatCost(0, "openai"), formatCost(0, undefined)]).toEqual([null, null]);
  expect(formatCost(31_000, "openai")).toBe("$0.031");
});
