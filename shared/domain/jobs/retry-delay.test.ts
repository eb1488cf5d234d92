import { expect, test } from "vitest";
import { retryDelaySeconds } from "./retry-delay.ts";

test("each failure waits four times as long as the one before, an hour at most", () => {
  expect([1, 2, 3, 4, 5, 100, 5_000].map(retryDelaySeconds)).toEqual([30, 120, 480, 1920, 3600, 3600, 3600]);
});

test("a count that cannot be waits as the first one does", () => {
  expect([0, -3, Number.NaN, Number.POSITIVE_INFINITY, 1.9].map(retryDelaySeconds)).toEqual([30, 30, 30, 30, 30]);
});
