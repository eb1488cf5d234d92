import type { Candidate } from "../../shared/domain/routing/choose-model.ts";
import type { Answer } from "../../shared/domain/turn/answer.ts";
import type { TurnProgress } from "../../shared/domain/turn/progress.ts";
import type { ProviderInstance } from "../../shared/ports/provider-directory.ts";
import type { Turn } from "./turn-table.ts";

/** The turn in memory. Once `abort` has fired, whatever its stream or its tools still say is stale. */
export interface RunningTurn {
  turn: Turn;
  answer: Answer;
  progress: TurnProgress;
  abort: AbortController;
  startedAtMs: number;
  /** It waits for people and nothing runs: the object may sleep. */
  isParked: boolean;
}

/** A model that may answer, with the instance that asks it. */
export type PlannedCandidate = Candidate & { instance: ProviderInstance };

export type ToolDecision = "allow-once" | "allow-always" | "deny";

/** One turn at a time, first come first served. */
export interface TurnLine {
  readonly running: RunningTurn | null;
  /** Starts the next waiting turn, if none runs. Returns at once; what goes wrong is tried again by an alarm. */
  kick(): void;
  /**
   * Ends a turn on someone's wish: the running one keeps what it has, a waiting one never starts.
   * @returns false when there was nothing to stop.
   */
  stop(turnId: string | undefined, why: string): boolean;
  /**
   * A person's word on a tool call that waits for one; the first counts.
   * @returns false when no such call waits.
   */
  answerTool(callId: string, decision: ToolDecision, who: string): boolean;
  /** The conversation is gone: what runs is stopped and leaves no trace. */
  abandon(): void;
  /** From an alarm: a turn that ought to run and does not is picked up; one that runs is watched on. */
  watch(): void;
}
