import type { Part } from "../../contract/message.ts";
import { hasText } from "./answer.ts";

/** How long a turn may take from its start, all its restarts together. */
export const TURN_BUDGET_MS = 15 * 60_000;
/** How often a turn is picked up again before it is told to the user that it does not work. */
export const MAX_RESTARTS = 5;

export type Recovery =
  /** Nothing was shown: the step runs again. */
  | { kind: "rerun" }
  /** Text was shown: it stays, a seam is put after it, and the model goes on from there. */
  | { kind: "continue" }
  /** The end: what is there is kept, and the user is told. */
  | { kind: "give-up"; why: string };

/**
 * What to do with a turn that was running when its object went away. The budget counts time, not tries inside one
 * execution: an isolate that was reset keeps failing for the rest of that execution.
 */
export function recoverTurn(
  turn: { startedAtMs: number; restarts: number; parts: readonly Part[] },
  nowMs: number,
): Recovery {
  if (nowMs - turn.startedAtMs > TURN_BUDGET_MS) {
    return { kind: "give-up", why: "The answer was interrupted and could not be finished in time." };
  }
  if (turn.restarts >= MAX_RESTARTS) {
    return { kind: "give-up", why: `The answer was interrupted ${turn.restarts + 1} times in a row.` };
  }
  return hasText(turn.parts) ? { kind: "continue" } : { kind: "rerun" };
}
