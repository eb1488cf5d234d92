import { resumedAnswer } from "../../shared/domain/turn/answer.ts";
import { approvalDeadlineMs, canGoOn, isOutOfTime, OUT_OF_TIME } from "../../shared/domain/turn/progress.ts";
import { recoverTurn } from "../../shared/domain/turn/recover.ts";
import { askAgain, decideCall, denyOverdue } from "./approvals.ts";
import { giveUpTurn, interruptTurn } from "./end-turn.ts";
import { tellLost } from "./fail-over.ts";
import { publish, type Room } from "./room.ts";
import { runTurn } from "./run-turn.ts";
import type { RunningTurn, ToolDecision, TurnLine } from "./running-turn.ts";
import { broadcastSession } from "./session-info.ts";
import { showSnapshot } from "./show-snapshot.ts";
import type { Turn } from "./turn-table.ts";

export const WATCHDOG_ALARM = "watchdog";
/** Also what keeps an object without sockets from being evicted in the middle of a stream. */
const WATCHDOG_EVERY_MS = 30_000;

/** One turn at a time, first come first served. Turns run detached; an alarm watches over them. */
export class TurnQueue implements TurnLine {
  readonly #room: Room;
  #running: RunningTurn | null = null;
  /** Counts the times that a turn was set going: what an earlier one still has to say of its end is stale. */
  #generation = 0;

  constructor(room: Room) {
    this.#room = room;
  }

  get running(): RunningTurn | null {
    return this.#running;
  }

  kick(): void {
    const { turns, journal } = this.#room;
    if (this.#running || !journal.conversation) return;
    try {
      const turn = turns.running() ?? turns.nextQueued();
      if (turn) this.#start(turn);
    } catch (error) {
      // An isolate that was reset goes on failing for a while: not again before the watchdog comes by.
      this.#running = null;
      console.error("a turn could not be picked up and is tried again:", error);
    }
  }

  stop(turnId: string | undefined, why: string): boolean {
    const { turns } = this.#room;
    if (turnId !== undefined) turns.unsteer(turnId);
    const turn =
      turnId === undefined ? (this.#running?.turn ?? turns.running() ?? turns.nextQueued()) : turns.find(turnId);
    if (!turn || (turn.state !== "queued" && turn.state !== "running")) return false;
    let { parts, progress } = turn;
    const running = this.#running?.turn.id === turn.id ? this.#running : null;
    if (running) {
      parts = running.answer.parts;
      progress = running.progress;
      running.abort.abort();
      this.#running = null;
    }
    interruptTurn(this.#room, { turn, parts, progress }, why);
    broadcastSession(this.#room);
    this.kick();
    return true;
  }

  answerTool(callId: string, decision: ToolDecision, who: string): boolean {
    this.kick();
    const running = this.#running;
    if (!running || !decideCall(this.#room, running, callId, decision, who)) return false;
    this.#armWatchdog(); // should going on fail: the word is given
    this.#unpark(running);
    return true;
  }

  abandon(): void {
    this.#running?.abort.abort();
    this.#running = null;
  }

  watch(): void {
    if (this.#room.turns.openCount() === 0) return;
    this.#armWatchdog();
    if (this.#running) this.#watchOver(this.#running);
    else this.kick();
  }

  #watchOver(running: RunningTurn): void {
    const { turn, answer, progress } = running;
    if (running.isParked) {
      denyOverdue(this.#room, running);
      this.#unpark(running);
    } else if (isOutOfTime(running, this.#nowMs())) {
      running.abort.abort();
      this.#running = null;
      const error = { code: "provider_timeout" as const, message: OUT_OF_TIME };
      giveUpTurn(this.#room, { turn, parts: answer.parts, progress }, error);
      broadcastSession(this.#room);
      this.kick();
    }
  }

  #start(turn: Turn): void {
    this.#armWatchdog();
    const nowMs = this.#nowMs();
    const running: RunningTurn = {
      turn,
      answer: resumedAnswer(turn.parts),
      progress: turn.progress,
      abort: new AbortController(),
      startedAtMs: turn.startedAtMs ?? nowMs,
      isParked: turn.progress.waitingSinceMs !== null,
    };
    if (turn.state !== "running") return this.#run(running, false);
    if (running.isParked) {
      this.#running = running;
      denyOverdue(this.#room, running);
      showSnapshot(this.#room);
      return this.#unpark(running);
    }
    if (this.#resume(running, nowMs)) this.#run(running, true);
  }

  /** Runs a turn detached. One that could not even be ended stays open for the watchdog. */
  #run(running: RunningTurn, resumed: boolean): void {
    this.#running = running;
    const generation = ++this.#generation;
    broadcastSession(this.#room);
    this.#room.background(
      runTurn(this.#room, running, resumed).finally(() => {
        if (this.#running !== running || this.#generation !== generation) return;
        if (running.isParked) return this.#rest(running);
        this.#running = null;
        broadcastSession(this.#room);
        if (!this.#isOpen(running.turn.id)) this.kick();
      }),
    );
  }

  #isOpen(turnId: string): boolean {
    const state = this.#room.turns.find(turnId)?.state;
    return state === "queued" || state === "running";
  }

  /** A parked turn is looked at again when its first question has been open for too long. */
  #rest(running: RunningTurn): void {
    if (canGoOn(running.answer.parts, running.progress)) return this.#unpark(running);
    this.#armWatchdog();
  }

  /** Goes on with a turn that waited for people, where they have brought it on. */
  #unpark(running: RunningTurn): void {
    const { answer, progress, turn } = running;
    if (!running.isParked || !canGoOn(answer.parts, progress)) return;
    progress.waitedMs += this.#nowMs() - (progress.waitingSinceMs ?? this.#nowMs());
    progress.waitingSinceMs = null;
    this.#room.turns.save(turn.id, answer.parts, progress);
    running.isParked = false;
    this.#armWatchdog();
    this.#run(running, true);
  }

  /** @returns false when the turn was ended instead. */
  #resume(running: RunningTurn, nowMs: number): boolean {
    const { journal, turns, services } = this.#room;
    const { turn, progress } = running;
    const tools = services.tools.definitions();
    const isSafe = (name: string): boolean => tools.find((tool) => tool.name === name)?.safeToRepeat ?? true;
    const recovery = recoverTurn({ ...turn, startedAtMs: running.startedAtMs }, isSafe, nowMs);
    if (recovery.kind === "give-up") {
      const { parts } = turn;
      giveUpTurn(this.#room, { turn, parts, progress }, { code: "internal", message: recovery.why });
      this.kick();
      return false;
    }
    const told = tellLost(running, recovery.kind === "continue" ? recovery.parts.length : null);
    if (recovery.kind !== "tools") running.answer = resumedAnswer(recovery.parts);
    const { parts } = running.answer;
    const logged = journal.transact(() => {
      turns.countRestart(turn.id);
      turns.save(turn.id, parts, progress);
      return journal.append(...told);
    });
    publish(this.#room, logged);
    if (recovery.kind === "tools" && recovery.ask.length > 0) askAgain(this.#room, running, recovery.ask);
    showSnapshot(this.#room);
    return true;
  }

  #nowMs(): number {
    return this.#room.services.now().getTime();
  }

  /** While only people can bring the turn on, nothing has to be watched but how long they take. */
  #armWatchdog(): void {
    const { turns, alarms } = this.#room;
    const running = turns.running();
    const rests = running?.progress.waitingSinceMs != null && !canGoOn(running.parts, running.progress);
    const deadlineMs = running && rests ? approvalDeadlineMs(running.progress) : null;
    alarms.schedule(WATCHDOG_ALARM, deadlineMs ?? this.#nowMs() + WATCHDOG_EVERY_MS);
  }
}
