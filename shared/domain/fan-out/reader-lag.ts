/**
 * How far one socket is behind. workerd does not tell how much waits to leave it, so this counts what was sent against
 * what the client says it has read. Lengths are UTF-16 units: cheap to count, at most three bytes each.
 */
export interface ReaderLag {
  /** Since the connection began. */
  sentLength: number;
  /** Of these, what is known to be read. */
  readLength: number;
  /** The last event that was sent. */
  sentSeq: number;
  /** The furthest that was reported. */
  reportedSeq: number;
  /** Whether this client reports at all; the protocol asks for it, a simple client may not know. */
  reports: boolean;
  /** What a report is owed for: once `seq` is reported, everything up to `length` is read. `sinceMs`: the last progress. */
  owed: { seq: number; length: number; sinceMs: number } | null;
}

/** Above this what is sent to a reporting client is merged; about half a second of the fastest models. */
const BEHIND_LENGTH = 128 * 1024;
/** A replay to a reporting client waits here. Large enough that one report a second still moves 4 MB a second. */
const WINDOW_LENGTH = 4 * 1024 * 1024;
/** A reporting client owes no more than this, and for no longer than `OWED_MS` once it owes `OWED_LENGTH`. */
const MAX_OWED_LENGTH = 16 * 1024 * 1024;
const OWED_LENGTH = 1024 * 1024;
/** Also how long a replay waits for a report. A tab in the background may run its timers once a minute. */
export const OWED_MS = 75_000;
/**
 * What anyone may leave unreported: a client that never reports, and the deltas of one long answer, which have no
 * position. It holds a replay of some ten thousand messages.
 */
const MAX_UNREAD_LENGTH = 64 * 1024 * 1024;

/** A reader that has everything up to `sentSeq`. `carried` is what it left unread before a hibernation. */
export function readerLag(sentSeq: number, nowMs: number, carried?: CarriedLag): ReaderLag {
  const sentLength = carried?.unreadLength ?? 0;
  return {
    sentLength,
    readLength: 0,
    sentSeq,
    reportedSeq: 0,
    reports: carried?.reports ?? false,
    owed: sentLength > 0 ? { seq: sentSeq, length: 0, sinceMs: nowMs } : null,
  };
}

/** What must outlive a hibernation: else a client that never reads would begin anew with each. */
export interface CarriedLag {
  unreadLength: number;
  reports: boolean;
}

/** It is sent the log from another position on. What it has not read stays a debt. */
export function restartLag(lag: ReaderLag, sentSeq: number): void {
  lag.sentSeq = sentSeq;
  lag.reportedSeq = 0;
  lag.owed = null;
}

export const unreadLength = (lag: ReaderLag): number => lag.sentLength - lag.readLength;

const owedLength = (lag: ReaderLag): number => (lag.reports && lag.owed ? lag.sentLength - lag.owed.length : 0);

/** Counts a frame that was sent; `seq` where it is an event. */
export function countSent(lag: ReaderLag, length: number, seq: number | null, nowMs: number): void {
  if (seq !== null) {
    lag.sentSeq = seq;
    lag.owed ??= { seq, length: lag.sentLength, sinceMs: nowMs };
  }
  lag.sentLength += length;
}

/**
 * The client says that it has read up to `seq`. A repetition of the last position says that it has read what came
 * since; an older one says nothing.
 * @returns false for a position that was never sent: it counts for nothing
 */
export function countReceived(lag: ReaderLag, seq: number, nowMs: number): boolean {
  if (seq > lag.sentSeq) return false;
  lag.reports = true;
  if (lag.owed && seq > lag.reportedSeq) lag.owed.sinceMs = nowMs;
  lag.reportedSeq = Math.max(lag.reportedSeq, seq);
  if (seq === lag.sentSeq) {
    lag.readLength = lag.sentLength;
    lag.owed = null;
  } else if (lag.owed && seq >= lag.owed.seq) {
    lag.readLength = lag.owed.length;
    // Where the reported event ends is not kept: the next credit comes with the last event sent by now.
    lag.owed = { seq: lag.sentSeq, length: lag.sentLength, sinceMs: nowMs };
  }
  return true;
}

/** Whether deltas for this reader are better merged. */
export const isBehind = (lag: ReaderLag): boolean => lag.reports && unreadLength(lag) > BEHIND_LENGTH;

/** Whether a replay must wait for a report before it sends more. */
export const isWindowFull = (lag: ReaderLag): boolean => owedLength(lag) > WINDOW_LENGTH;

/** Whether this reader holds so much memory, or so long, that it is cut; it resumes where it was. */
export function isTooFarBehind(lag: ReaderLag, nowMs: number): boolean {
  if (unreadLength(lag) > MAX_UNREAD_LENGTH) return true;
  const owed = owedLength(lag);
  if (owed > MAX_OWED_LENGTH) return true;
  return owed > OWED_LENGTH && lag.owed !== null && nowMs - lag.owed.sinceMs > OWED_MS;
}
