import { describe, expect, it } from "vitest";
import {
  countReceived,
  countSent,
  isBehind,
  isTooFarBehind,
  isWindowFull,
  OWED_MS,
  readerLag,
  unreadLength,
} from "./reader-lag.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** A reader that was sent these events, each of `length`, at 0 ms. */
function sent(events: number, length: number) {
  const lag = readerLag(0, 0);
  for (let seq = 1; seq <= events; seq++) countSent(lag, length, seq, 0);
  return lag;
}

describe("a reader that reports", () => {
  it("owes nothing once it has reported the last event", () => {
    const lag = sent(10, MIB);
    expect(countReceived(lag, 10, 1)).toBe(true);
    expect(unreadLength(lag)).toBe(0);
    expect(isBehind(lag)).toBe(false);
  });

  it("is behind, and merged for, while more than half a second of a fast model waits", () => {
    const lag = sent(1, 1);
    countReceived(lag, 1, 0);
    countSent(lag, 128 * KIB, null, 0);
    expect(isBehind(lag)).toBe(false);
    countSent(lag, 1, null, 0);
    expect(isBehind(lag)).toBe(true);
    countReceived(lag, 1, 1);
    expect(isBehind(lag)).toBe(false);
  });

  it("stops a replay at the window and lets it go on with a report of what was in it", () => {
    const lag = sent(1, KIB);
    countReceived(lag, 1, 0);
    for (let seq = 2; !isWindowFull(lag); seq++) countSent(lag, 100 * KIB, seq, 0);
    expect(lag.sentSeq).toBe(42);
    countReceived(lag, 1, 1);
    expect(isWindowFull(lag)).toBe(true);
    countReceived(lag, 2, 1);
    expect(isWindowFull(lag)).toBe(false);
  });

  it("never has more than two windows of a replay on the way", () => {
    const lag = sent(1, KIB);
    countReceived(lag, 1, 0);
    let seq = 1;
    let most = 0;
    for (let read = 1; read < 2_000; read += 7) {
      while (!isWindowFull(lag)) countSent(lag, 10 * KIB, ++seq, 0);
      most = Math.max(most, (seq - read) * 10 * KIB);
      countReceived(lag, Math.min(read, seq), 0);
    }
    expect(most).toBeLessThan(8.2 * MIB);
  });

  it("is cut when it owes 16 M, and not for the deltas of a long answer, which have no position", () => {
    const lag = sent(1, 1);
    countReceived(lag, 1, 0);
    countSent(lag, 30 * MIB, null, 0);
    expect(isTooFarBehind(lag, 10 * OWED_MS)).toBe(false);
    countSent(lag, 1, 2, 0);
    expect(isTooFarBehind(lag, 0)).toBe(false);
    countSent(lag, 16 * MIB, 3, 0);
    expect(isTooFarBehind(lag, 0)).toBe(true);
  });

  it("is cut when it owes less for long, unless it comes forward", () => {
    const lag = sent(10, MIB);
    countReceived(lag, 1, 0);
    for (let seq = 11; seq <= 13; seq++) countSent(lag, MIB, seq, 0);
    expect(isTooFarBehind(lag, OWED_MS)).toBe(false);
    expect(isTooFarBehind(lag, OWED_MS + 1)).toBe(true);
    countReceived(lag, 2, OWED_MS);
    expect(isTooFarBehind(lag, OWED_MS + 1)).toBe(false);
    countReceived(lag, 2, 3 * OWED_MS);
    expect(isTooFarBehind(lag, 3 * OWED_MS)).toBe(true);
  });

  it("may owe a little for ever", () => {
    const lag = sent(2, KIB);
    countReceived(lag, 1, 0);
    expect(isTooFarBehind(lag, 1_000 * OWED_MS)).toBe(false);
  });
});

describe("a report", () => {
  it("of what was never sent counts for nothing", () => {
    const lag = sent(3, MIB);
    expect(countReceived(lag, 4, 0)).toBe(false);
    expect(unreadLength(lag)).toBe(3 * MIB);
    expect(lag.reports).toBe(false);
  });

  it("that goes backwards counts for nothing", () => {
    const lag = sent(3, MIB);
    countReceived(lag, 3, 0);
    countSent(lag, MIB, 4, 0);
    expect(countReceived(lag, 2, 0)).toBe(true);
    expect(unreadLength(lag)).toBe(MIB);
  });
});

describe("a reader that never reports", () => {
  it("has a generous allowance and no deadline, and is never merged for", () => {
    const lag = sent(64, MIB);
    expect(isTooFarBehind(lag, 1_000 * OWED_MS)).toBe(false);
    expect(isWindowFull(lag)).toBe(false);
    expect(isBehind(lag)).toBe(false);
    countSent(lag, 1, null, 0);
    expect(isTooFarBehind(lag, 0)).toBe(true);
  });

  it("keeps its debt across a hibernation", () => {
    const lag = readerLag(9, 0, { unreadLength: 64 * MIB, reports: false });
    countSent(lag, 1, 10, 0);
    expect(isTooFarBehind(lag, 0)).toBe(true);
  });
});

it("a reader that reports is held to its limit across a hibernation, and pays with one report", () => {
  const carried = { unreadLength: 10 * MIB, reports: true };
  const silent = readerLag(9, 0, carried);
  countSent(silent, 7 * MIB, 10, 0);
  expect(isTooFarBehind(silent, 0)).toBe(true);
  const honest = readerLag(9, 0, carried);
  countReceived(honest, 9, 0);
  countSent(honest, 7 * MIB, 10, 0);
  expect(isTooFarBehind(honest, 0)).toBe(false);
});
