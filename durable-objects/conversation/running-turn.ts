import type { TurnError } from "../../shared/contract/events.ts";
import type { FinishReason, Message, Part } from "../../shared/contract/message.ts";
import type { Candidate } from "../../shared/domain/routing/choose-model.ts";
import type { Answer } from "../../shared/domain/turn/answer.ts";
import type { ModelProvider } from "../../shared/ports/model-provider.ts";
import type { Turn } from "./turn-table.ts";

/** The turn in memory. Once `abort` has fired, whatever its stream still says is stale. */
export interface RunningTurn {
  turn: Turn;
  answer: Answer;
  abort: AbortController;
  startedAtMs: number;
}

/** A model that may answer, with the adapter that asks it. */
export type PlannedCandidate = Candidate & { provider: ModelProvider };

/** One turn at a time, first come first served. */
export interface TurnLine {
  readonly running: RunningTurn | null;
  /** Starts the next waiting turn, if none runs. Returns at once. */
  kick(): void;
  /**
   * Ends a turn on someone's wish: the running one keeps what it has, a waiting one never starts.
   * @returns false when there was nothing to stop.
   */
  stop(turnId: string | undefined, why: string): boolean;
  /** The conversation is gone: what runs is stopped and leaves no trace. */
  abandon(): void;
  /** From an alarm: a turn that ought to run and does not is picked up; one that runs is watched on. */
  watch(): void;
  /** The end of a turn that failed: interrupted where text was shown, failed where there was none. Always told. */
  giveUp(turn: Turn, parts: Part[], error: TurnError): void;
  /** The answer as it stands in the tree, with new parts; null when its message is gone. */
  answerMessage(turn: Turn, parts: Part[], finishReason: FinishReason, more?: Message["metadata"]): Message | null;
}
