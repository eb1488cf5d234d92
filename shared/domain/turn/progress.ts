import type { Part, Usage } from "../../contract/message.ts";
import { hasText } from "./answer.ts";
import type { OpenRequest } from "./open-request.ts";
import { openCalls } from "./tool-call.ts";

/** A tool call that was requested and has no result: a person is asked, a person said yes, or it runs. */
export type CallState = { state: "waiting"; sinceMs: number } | { state: "allowed" } | { state: "running" };

/** What a running turn knows of itself beside its parts; stored with them, so that it survives the object. */
export interface TurnProgress {
  /** The step that is being written, from 0. */
  step: number;
  /** How many parts the steps before it have. */
  stepStart: number;
  /** Messages that reached the model while it was answering, and how many parts stood before each. */
  steered: { messageId: string; afterParts: number }[];
  /** Whose words the newest parts are; null before the first request. */
  asked: { provider: string; model: string } | null;
  /** What finished steps and failed attempts cost. */
  spent: Usage & { microUsd: number };
  /** The request that is on its way; null while tools run, people are asked or the next try waits. */
  open: OpenRequest | null;
  /** Calls of this step without a result, by call id. */
  calls: Record<string, CallState>;
  /** Time spent waiting for people; it does not count. */
  waitedMs: number;
  /** Set while the turn rests because only people can bring it on. */
  waitingSinceMs: number | null;
}

export const newProgress = (): TurnProgress => ({
  step: 0,
  stepStart: 0,
  steered: [],
  asked: null,
  spent: { inputTokens: 0, outputTokens: 0, cachedTokens: 0, microUsd: 0 },
  open: null,
  calls: {},
  waitedMs: 0,
  waitingSinceMs: null,
});

/** How long a turn may take from its start, all its restarts together, without the time it waits for people. */
export const TURN_BUDGET_MS = 15 * 60_000;
/** How long a question to people stays open; after that the answer is no. */
export const APPROVAL_MS = 24 * 60 * 60_000;

export const OUT_OF_TIME = "The answer was interrupted and could not be finished in time.";

/** The time that counts against the budget. */
export function isOutOfTime(turn: { startedAtMs: number; progress: TurnProgress }, nowMs: number): boolean {
  const { waitedMs, waitingSinceMs } = turn.progress;
  const waiting = waitingSinceMs === null ? 0 : nowMs - waitingSinceMs;
  return nowMs - turn.startedAtMs - waitedMs - waiting > TURN_BUDGET_MS;
}

/** When the first of the questions that are open ends by itself; null where none is. */
export function approvalDeadlineMs({ calls }: TurnProgress): number | null {
  const since = Object.values(calls).flatMap((call) => (call.state === "waiting" ? [call.sinceMs] : []));
  return since.length === 0 ? null : Math.min(...since) + APPROVAL_MS;
}

/** Whether the turn can go on without a person: a call may run, or all have their results. */
export function canGoOn(parts: readonly Part[], progress: TurnProgress): boolean {
  const open = openCalls(parts, progress.step);
  return open.length === 0 || open.some((call) => progress.calls[call.callId]?.state !== "waiting");
}

/**
 * What stays of a step whose stream broke. Text that was shown is never taken back; calls that were still being
 * written were never carried out and go; without text the step leaves nothing.
 */
export function keptOfBrokenStep(parts: readonly Part[], stepStart: number): { parts: Part[]; shown: boolean } {
  const before = parts.slice(0, stepStart);
  const step = parts.slice(stepStart).filter((part) => part.type !== "tool-call");
  return hasText(step) ? { parts: [...before, ...step], shown: true } : { parts: before, shown: false };
}

/** Another vendor refuses this one's proofs of thinking. */
export const withoutProofs = (parts: readonly Part[]): Part[] =>
  parts.map((part) => (part.type === "thinking" ? { type: "thinking", text: part.text } : part));
