import { expect, test } from "vitest";
import { drainDelayMs } from "./drain-delay.ts";

test("each failure waits twice as long as the one before, ten seconds at most", () => {
  expect([1, 2, 3, 6, 60, 5_000].map((failures) => drainDelayMs(failures, false, 0.5))).toEqual([
    500, 1_000, 2_000, 10_000, 10_000, 10_000,
  ]);
});

test("the same failure is not retried at the same moment everywhere", () => {
  expect([0, 0.25, 0.999].map((random) => drainDelayMs(6, false, random))).toEqual([5_000, 7_500, 14_990]);
});

test("what nobody may write at the moment is tried again about every ten minutes", () => {
  expect(drainDelayMs(1, true, 0.5)).toBe(600_000);
});
