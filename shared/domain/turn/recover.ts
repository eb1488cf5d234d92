import type { Part } from "../../contract/message.ts";
import { isOutOfTime, keptOfBrokenStep, OUT_OF_TIME, type TurnProgress } from "./progress.ts";
import { callsOf, openCalls } from "./tool-call.ts";

/** How often a turn is picked up again before it is told to the user that it does not work. */
export const MAX_RESTARTS = 5;

export type Recovery =
  /** Nothing of the step was shown: it runs again, after `parts`. */
  | { kind: "rerun"; parts: Part[] }
  /** Text was shown: it stays, a seam is put after it, and the model goes on from there. */
  | { kind: "continue"; parts: Part[] }
  /** The step was written; what its tools have not brought is run again, or asked for where that may do harm. */
  | { kind: "tools"; ask: string[] }
  /** The end: what is there is kept, and the user is told. */
  | { kind: "give-up"; why: string };

/**
 * What to do with a turn that was running when its object went away. The budget counts time, not tries inside one
 * execution: an isolate that was reset keeps failing for the rest of that execution.
 */
export function recoverTurn(
  turn: { startedAtMs: number; restarts: number; parts: readonly Part[]; progress: TurnProgress },
  safeToRepeat: (tool: string) => boolean,
  nowMs: number,
): Recovery {
  const { parts, progress, restarts } = turn;
  if (isOutOfTime(turn, nowMs)) return { kind: "give-up", why: OUT_OF_TIME };
  if (restarts >= MAX_RESTARTS)
    return { kind: "give-up", why: `The answer was interrupted ${restarts + 1} times in a row.` };
  const open = openCalls(parts, progress.step);
  const requested = open.filter((call) => progress.calls[call.callId] !== undefined);
  const hasResults = callsOf(parts, progress.step).length > open.length;
  if (requested.length > 0 || (hasResults && open.length === 0)) {
    const cut = requested.filter((call) => progress.calls[call.callId]?.state === "running");
    return { kind: "tools", ask: cut.filter((call) => !safeToRepeat(call.name)).map((call) => call.callId) };
  }
  const kept = keptOfBrokenStep(parts, progress.stepStart);
  return { kind: kept.shown ? "continue" : "rerun", parts: kept.parts };
}
