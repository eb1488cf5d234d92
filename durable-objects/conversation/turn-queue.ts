import type { TurnError } from "../../shared/contract/events.ts";
import type { FinishReason, Message, Part } from "../../shared/contract/message.ts";
import { hasText, resumedAnswer } from "../../shared/domain/turn/answer.ts";
import { recoverTurn } from "../../shared/domain/turn/recover.ts";
import { beginUnrouted } from "./begin-turn.ts";
import { publish, type Room } from "./room.ts";
import { runTurn } from "./run-turn.ts";
import type { RunningTurn, TurnLine } from "./running-turn.ts";
import { broadcastSession } from "./session-info.ts";
import type { Turn } from "./turn-table.ts";

export const WATCHDOG_ALARM = "watchdog";
/** Also what keeps an object without sockets from being evicted in the middle of a stream. */
const WATCHDOG_EVERY_MS = 30_000;

/** One turn at a time, first come first served. Turns run detached; an alarm watches over them. */
export class TurnQueue implements TurnLine {
  readonly #room: Room;
  #running: RunningTurn | null = null;

  constructor(room: Room) {
    this.#room = room;
  }

  get running(): RunningTurn | null {
    return this.#running;
  }

  kick(): void {
    const { turns, journal } = this.#room;
    if (this.#running || !journal.conversation) return;
    const turn = turns.running() ?? turns.nextQueued();
    if (!turn) return;
    this.#start(turn, turn.state === "running");
  }

  stop(turnId: string | undefined, why: string): boolean {
    const { turns } = this.#room;
    const turn =
      turnId === undefined ? (this.#running?.turn ?? turns.running() ?? turns.nextQueued()) : turns.find(turnId);
    if (!turn || (turn.state !== "queued" && turn.state !== "running")) return false;
    let { parts } = turn;
    if (this.#running?.turn.id === turn.id) {
      this.#running.abort.abort();
      parts = this.#running.answer.parts;
      this.#running = null;
    }
    this.#interrupt(turn, parts, why);
    broadcastSession(this.#room);
    this.kick();
    return true;
  }

  abandon(): void {
    this.#running?.abort.abort();
    this.#running = null;
  }

  watch(): void {
    if (this.#room.turns.openCount() === 0) return;
    this.#armWatchdog();
    try {
      this.kick();
    } catch (error) {
      console.error("a turn could not be picked up and is tried again:", error);
    }
  }

  /** The end of a turn that was cut: what was shown is kept, in the log and for everyone. */
  #interrupt(turn: Turn, parts: Part[], why: string): void {
    const { journal, turns } = this.#room;
    const logged = journal.transact(() => {
      const begun = beginUnrouted(this.#room, turn, why);
      turns.end(turn.id, "interrupted");
      const message = this.answerMessage(turn, parts, "stopped");
      if (!message) return begun;
      const ending = { type: "turn:interrupted" as const, turnId: turn.id, message, why, willContinue: false };
      return [...begun, ...journal.append(ending)];
    });
    publish(this.#room, logged);
  }

  answerMessage(turn: Turn, parts: Part[], finishReason: FinishReason, more: Message["metadata"] = {}): Message | null {
    const stored = this.#room.journal.message(turn.messageId);
    if (!stored) return null;
    const { message } = stored;
    return {
      ...message,
      updatedSeq: this.#room.journal.lastSeq + 1,
      parts,
      metadata: { ...message.metadata, ...more, finishReason },
    };
  }

  #start(turn: Turn, wasRunning: boolean): void {
    const { services, background } = this.#room;
    const nowMs = services.now().getTime();
    this.#armWatchdog();
    const running: RunningTurn = {
      turn,
      answer: resumedAnswer(turn.parts),
      abort: new AbortController(),
      startedAtMs: turn.startedAtMs ?? nowMs,
    };
    if (wasRunning && !this.#resume(running, nowMs)) return;
    this.#running = running;
    broadcastSession(this.#room);
    background(
      runTurn(this.#room, running, wasRunning).finally(() => {
        if (this.#running !== running) return;
        this.#running = null;
        broadcastSession(this.#room);
        this.kick();
      }),
    );
  }

  /** @returns false when the turn was ended instead. */
  #resume(running: RunningTurn, nowMs: number): boolean {
    const { journal, turns } = this.#room;
    const { turn } = running;
    const recovery = recoverTurn(
      { startedAtMs: running.startedAtMs, restarts: turn.restarts, parts: turn.parts },
      nowMs,
    );
    if (recovery.kind === "give-up") {
      this.giveUp(turn, turn.parts, { code: "internal", message: recovery.why });
      this.kick();
      return false;
    }
    const why = "The server was restarted while this answer was being written.";
    const logged = journal.transact(() => {
      turns.countRestart(turn.id);
      return recovery.kind === "continue" ? journal.append({ type: "turn:continued", turnId: turn.id, why }) : [];
    });
    if (recovery.kind === "rerun") running.answer = resumedAnswer([]);
    publish(this.#room, logged);
    this.#room.sessions.broadcast({
      type: "message:snapshot",
      turnId: turn.id,
      messageId: turn.messageId,
      parts: running.answer.parts,
    });
    return true;
  }

  giveUp(turn: Turn, parts: Part[], error: TurnError): void {
    const { journal, turns } = this.#room;
    if (hasText(parts)) return this.#interrupt(turn, parts, error.message);
    const logged = journal.transact(() => {
      const begun = beginUnrouted(this.#room, turn, error.message);
      turns.end(turn.id, "failed");
      return [...begun, ...journal.append({ type: "turn:failed", turnId: turn.id, error, canRetry: true })];
    });
    publish(this.#room, logged);
  }

  #armWatchdog(): void {
    this.#room.alarms.schedule(WATCHDOG_ALARM, this.#room.services.now().getTime() + WATCHDOG_EVERY_MS);
  }
}
