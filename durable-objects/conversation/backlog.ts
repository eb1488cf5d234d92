import type { ConversationEvent, LoggedEvent } from "../../shared/contract/events.ts";
import { type EventLog, eventLog } from "./event-log.ts";
import type { Journal } from "./journal.ts";

/** The most of one request; also what is held in memory of the log at one time. */
export const BATCH = { events: 1_000, length: 1_000_000 };

/** How much of one conversation may wait for Postgres before new messages are refused. */
export interface BacklogLimits {
  events: number;
  /** Characters of JSON. */
  characters: number;
}

/** Days of a busy conversation, and well within what one object may store. */
export const BACKLOG_LIMITS: BacklogLimits = { events: 100_000, characters: 256 * 1024 * 1024 };

/** An event is at most about as long as a frame: fewer of them cannot be too much. */
const LONGEST_EVENT = 2 * 1024 * 1024;

/** The part of the log that Postgres does not have yet. */
export class Backlog {
  readonly #journal: Pick<Journal, "lastSeq" | "drainedSeq">;
  readonly #log: EventLog;
  readonly #sql: SqlStorage;
  readonly #limits: BacklogLimits;
  #counted = { from: 0, to: 0, characters: 0 };

  constructor(journal: Pick<Journal, "lastSeq" | "drainedSeq">, sql: SqlStorage, limits: BacklogLimits) {
    this.#journal = journal;
    this.#log = eventLog(journal, sql);
    this.#sql = sql;
    this.#limits = limits;
  }

  get events(): number {
    return Math.max(0, this.#journal.lastSeq - this.#journal.drainedSeq);
  }

  get isEmpty(): boolean {
    return this.events === 0;
  }

  get isFull(): boolean {
    const { events, characters } = this.#limits;
    if (this.events >= events) return true;
    return this.events * LONGEST_EVENT > characters && this.#characters() > characters;
  }

  /** When the oldest event that waits was logged, in epoch milliseconds. */
  get oldestAtMs(): number | null {
    if (this.isEmpty) return null;
    const [oldest] = this.#log.rowsAfter(this.#journal.drainedSeq, { events: 1, length: 1 });
    return oldest ? Date.parse(oldest.at) : null;
  }

  /** The next ones from `seq` on, at least one if there is one. */
  after(seq: number, limit: { events: number; length: number }): LoggedEvent[] {
    return this.#log
      .rowsAfter(seq, limit)
      .map((row) => ({ seq: row.seq, at: row.at, event: JSON.parse(row.body) as ConversationEvent }));
  }

  /** Reads only what came and what went since it was counted last. */
  #characters(): number {
    const { drainedSeq, lastSeq } = this.#journal;
    const { from, to, characters } = this.#counted;
    const isKnown = from <= drainedSeq && drainedSeq < to && to <= lastSeq;
    const left = isKnown ? characters - this.#length(from, drainedSeq) : 0;
    const came = this.#length(isKnown ? to : drainedSeq, lastSeq);
    this.#counted = { from: drainedSeq, to: lastSeq, characters: left + came };
    return left + came;
  }

  #length(after: number, upTo: number): number {
    if (after >= upTo) return 0;
    const query = "select sum(length(body)) as n from events where seq > ? and seq <= ?";
    return this.#sql.exec<{ n: number | null }>(query, after, upTo).toArray()[0]?.n ?? 0;
  }
}
