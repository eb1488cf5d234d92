import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { abortAfter } from "./abort-after.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const untilAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

it("aborts work that takes too long, and says so", async () => {
  const work = expect(abortAfter(100, untilAborted)).rejects.toMatchObject({ name: "TimeoutError" });
  await vi.advanceTimersByTimeAsync(100);
  await work;
});

it("leaves no timer behind work that has ended, well or not", async () => {
  expect(await abortAfter(100, async () => "done")).toBe("done");
  await expect(abortAfter(100, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(vi.getTimerCount()).toBe(0);
});
