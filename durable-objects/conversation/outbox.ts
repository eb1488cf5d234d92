import type { SessionInfo } from "../../shared/contract/frames.ts";
import type { EventSink } from "../../shared/ports/conversation-store.ts";
import type { Timers } from "../../shared/ports/timers.ts";
import type { AlarmScheduler } from "../alarm-scheduler.ts";
import type { Journal } from "./journal.ts";

export const OUTBOX_ALARM = "outbox";
/** Long enough for the events of one instant to travel together, short enough to be read back at once. */
const DRAIN_AFTER_MS = 50;
const BATCH_EVENTS = 200;
const BATCH_BYTES = 1_000_000;
const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 30_000;
const BEHIND_EVENTS = 500;
const IF_LOST_MS = 30_000;

interface Deps {
  journal: Journal;
  alarms: Pick<AlarmScheduler, "schedule">;
  timers: Pick<Timers, "after">;
  background(work: Promise<unknown>): void;
  sink: EventSink;
  now: () => number;
  /** Called when what `storage` says has changed. */
  onStorageChange: () => void;
}

/**
 * Brings the log to Postgres behind the conversation's back: in batches, in order, at least once. The
 * cursor moves only after the database has said yes; rows that it refuses for what they are step aside, one by one.
 */
export class Outbox {
  readonly #deps: Deps;
  #draining: Promise<void> | null = null;
  #failures = 0;
  #timer: { cancel(): void } | null = null;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  get storage(): SessionInfo["storage"] {
    if (this.#failures > 0) return "offline";
    const { journal } = this.#deps;
    return journal.lastSeq - journal.drainedSeq > BEHIND_EVENTS ? "behind" : "synced";
  }

  /**
   * There is something new. It is fetched a moment later by a timer; an alarm stands behind it, should the object end
   * before. That alarm is set once for many messages: setting one delays the acknowledgement of the message.
   */
  wake(): void {
    const { journal, alarms, now, background, timers } = this.#deps;
    if (this.#draining || !journal.conversation || journal.lastSeq <= journal.drainedSeq) return;
    if (this.#failures > 0) return alarms.schedule(OUTBOX_ALARM, now() + this.#delayMs());
    alarms.schedule(OUTBOX_ALARM, now() + IF_LOST_MS);
    this.#timer ??= timers.after(DRAIN_AFTER_MS, () => {
      this.#timer = null;
      background(this.drain());
    });
  }

  /** Drains until nothing is left or the database fails; one at a time. Never rejects. */
  drain(): Promise<void> {
    this.#draining ??= this.#drainAll().finally(() => {
      this.#draining = null;
      this.wake();
    });
    return this.#draining;
  }

  #delayMs(): number {
    return Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** (this.#failures - 1));
  }

  async #drainAll(): Promise<void> {
    if (!this.#deps.journal.conversation) return;
    const before = this.storage;
    // Should the object end in the middle, this wakes it.
    this.#deps.alarms.schedule(OUTBOX_ALARM, this.#deps.now() + IF_LOST_MS);
    while (await this.#drainBatch());
    if (this.#deps.journal.conversation && this.storage !== before) this.#deps.onStorageChange();
  }

  /** @returns whether there may be more to do now. */
  async #drainBatch(): Promise<boolean> {
    const { journal, sink } = this.#deps;
    const conversation = journal.conversation;
    if (!conversation) return false;
    const events = fitting(journal.eventsAfter(journal.drainedSeq, BATCH_EVENTS));
    const last = events.at(-1);
    if (!last) return false;
    const scope = { userId: conversation.ownerUserId };
    const batch = { conversationId: conversation.id, workspaceId: conversation.workspaceId };
    let remaining = events;
    while (remaining.length > 0) {
      const outcome = await sink.drain(scope, { ...batch, events: remaining });
      if (journal.conversation === null) return false; // deleted meanwhile
      if (outcome.ok) {
        this.#failures = 0;
        this.#advance(remaining.at(-1)?.seq ?? last.seq);
        remaining = events.filter((event) => event.seq > journal.drainedSeq);
      } else if (outcome.retry) {
        this.#failures++;
        console.warn(
          `conversation ${conversation.id}: Postgres is away, ${journal.lastSeq - journal.drainedSeq} events wait (${outcome.message})`,
        );
        return false;
      } else if (remaining.length > 1) {
        remaining = remaining.slice(0, Math.ceil(remaining.length / 2));
      } else {
        const poison = remaining[0]?.seq ?? last.seq;
        console.error(
          `conversation ${conversation.id}: event ${poison} is refused by Postgres and parked (${outcome.message})`,
        );
        journal.park(poison, outcome.message);
        this.#failures = 0;
        this.#advance(poison);
        remaining = events.filter((event) => event.seq > journal.drainedSeq);
      }
    }
    return true;
  }

  #advance(seq: number): void {
    this.#deps.journal.setMeta("drainedSeq", String(seq));
  }
}

/** As many as travel well in one request, at least one. */
function fitting<Event>(events: Event[]): Event[] {
  let bytes = 0;
  const index = events.findIndex((event) => {
    bytes += JSON.stringify(event).length;
    return bytes > BATCH_BYTES;
  });
  return index < 0 ? events : events.slice(0, Math.max(1, index));
}
