import type { SessionInfo } from "../../shared/contract/frames.ts";
import type { Job } from "../../shared/contract/job.ts";
import { fail } from "../../shared/domain/app-error.ts";
import { drainDelayMs } from "../../shared/domain/jobs/drain-delay.ts";
import type { DrainOutcome, EventBatch, EventSink } from "../../shared/ports/conversation-store.ts";
import type { JobStore, ReportedJob } from "../../shared/ports/job-store.ts";
import type { Timers } from "../../shared/ports/timers.ts";
import type { AlarmScheduler } from "../alarm-scheduler.ts";
import { BACKLOG_LIMITS, BATCH, Backlog, type BacklogLimits } from "./backlog.ts";
import type { Journal } from "./journal.ts";
import { ParkedEvents } from "./parked-events.ts";
import { retryParked } from "./retry-parked.ts";

export const OUTBOX_ALARM = "outbox";
/** Long enough for the events of one instant to travel together, short enough to be read back at once. */
const DRAIN_AFTER_MS = 50;
/** After a failure the first request is a small one: many conversations may come back at the same moment. */
const PROBE_EVENTS = 50;
const BEHIND_AFTER_MS = 2_000;
/** A request that takes longer has failed, whatever becomes of it: the events are sent again. */
const PATIENCE_MS = 10_000;
const IF_LOST_MS = 30_000;
const REPORTED_AT_ONCE = 100;

export const TOO_MUCH_WAITS = fail(
  "database_unavailable",
  "The database has been away for so long that this conversation can take no more until it is back. Nothing is lost; send this again later.",
);

export interface OutboxDeps {
  journal: Journal;
  sql: SqlStorage;
  alarms: Pick<AlarmScheduler, "schedule">;
  timers: Pick<Timers, "after">;
  background(work: Promise<unknown>): void;
  sink: EventSink;
  jobs: Pick<JobStore, "report">;
  now: () => number;
  random: () => number;
  newId: () => string;
  /** Called when what `storage` says has changed. */
  onStorageChange: () => void;
  limits?: BacklogLimits;
}

/**
 * Brings the log to Postgres behind the conversation's back: in batches, in order, at least once. The cursor moves only
 * after the database has said yes; rows that it refuses for what they are step aside, one by one, and the admin is told.
 */
export class Outbox {
  readonly #deps: OutboxDeps;
  readonly #backlog: Backlog;
  readonly #parked: ParkedEvents;
  #draining: Promise<void> | null = null;
  #failures = 0;
  #retryAtMs = 0;
  #batchEvents = BATCH.events;
  /** What everyone knows; null where this object has slept and does not know what it has said. */
  #told: SessionInfo["storage"] | null = "synced";
  #timer: { cancel(): void } | null = null;
  #ageTimer: { cancel(): void } | null = null;

  constructor(deps: OutboxDeps) {
    this.#deps = deps;
    this.#backlog = new Backlog(deps.journal, deps.sql, deps.limits ?? BACKLOG_LIMITS);
    this.#parked = new ParkedEvents(deps.sql, deps.newId);
    if (this.hasWork) this.#told = null;
  }

  get storage(): SessionInfo["storage"] {
    if (this.#failures > 0) return "offline";
    const oldest = this.#backlog.oldestAtMs;
    return oldest !== null && this.#deps.now() - oldest > BEHIND_AFTER_MS ? "behind" : "synced";
  }

  /** Too much waits: a new message must be refused, what is there is safe. */
  get isFull(): boolean {
    return this.#backlog.isFull;
  }

  /**
   * There is something new. It is fetched a moment later by a timer; an alarm stands behind it, should the object end
   * before. That alarm is set once for many messages, and not taken back: setting one delays the acknowledgement of a
   * message, one that finds nothing to do costs nearly nothing.
   */
  wake(): void {
    const { alarms, now, background, timers } = this.#deps;
    if (!this.hasWork) return;
    this.#watchAge();
    if (this.#draining) return;
    const resumeAtMs = Math.max(this.#restsUntilMs, this.#failures > 0 ? this.#retryAtMs : 0);
    if (resumeAtMs > 0) return alarms.schedule(OUTBOX_ALARM, resumeAtMs);
    alarms.schedule(OUTBOX_ALARM, now() + IF_LOST_MS);
    this.#timer ??= timers.after(DRAIN_AFTER_MS, () => {
      this.#timer = null;
      background(this.drain());
    });
  }

  /** Drains until nothing is left or the database fails; one at a time. Never rejects. */
  drain(): Promise<void> {
    const { alarms, now } = this.#deps;
    // The alarm that asks may be the one that stood behind the request which is under way.
    if (this.#draining && this.hasWork) alarms.schedule(OUTBOX_ALARM, now() + IF_LOST_MS);
    this.#draining ??= this.#drainAll()
      .catch((error) => {
        console.error("a drain broke and is tried again:", error);
        this.#failed({ ok: false, retry: true, message: "the asking itself broke" });
      })
      .finally(() => {
        this.#draining = null;
        this.#tell();
        this.wake();
      });
    return this.#draining;
  }

  /**
   * What an instance admin decided for a refused event: once more, or given up.
   * @returns its job as it stands then; null when this conversation has no such job
   * @throws AppError `database_unavailable`
   */
  async settle(jobId: string, decision: "retry" | "cancel"): Promise<Job | null> {
    const { journal, sink, now } = this.#deps;
    const parked = this.#parked.find(jobId);
    if (!parked || !journal.conversation) return null;
    if (decision === "cancel") this.#parked.settle(parked.seq, "cancelled", now());
    else if (parked.status !== "completed") {
      await retryParked({ journal, sink, backlog: this.#backlog, parked: this.#parked, now }, parked.seq);
    }
    const reported = this.#parked.unreported(journal.born.id, REPORTED_AT_ONCE);
    if (await this.#tellJobs(reported)) this.#parked.markReported(reported);
    else this.wake();
    const told = reported.find((job) => job.id === jobId);
    return told ? { ...told, traceId: null } : null;
  }

  /** Something waits for Postgres. */
  get hasWork(): boolean {
    return this.#deps.journal.conversation !== null && (!this.#backlog.isEmpty || this.#parked.hasUnreported);
  }

  /** Nobody could write there the last time, and nobody has written here since: when to ask again. */
  get #restsUntilMs(): number {
    const [lastSeq, untilMs] = (this.#deps.journal.meta("orphaned") ?? "").split(" ").map(Number);
    return lastSeq === this.#deps.journal.lastSeq ? (untilMs ?? 0) : 0;
  }

  async #drainAll(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = null;
    if (this.hasWork && this.#restsUntilMs > this.#deps.now()) return;
    while (this.hasWork && (await this.#drainBatch()));
    if (!this.hasWork) {
      this.#ageTimer?.cancel();
      this.#ageTimer = null;
    }
  }

  /** A database that hangs says nothing: somebody has to look at the time. */
  #watchAge(): void {
    if (this.#failures > 0 || this.#told === "behind") return;
    this.#ageTimer ??= this.#deps.timers.after(BEHIND_AFTER_MS + 1, () => {
      this.#ageTimer = null;
      this.#tell();
      if (this.hasWork) this.#watchAge();
    });
  }

  #tell(): void {
    if (!this.#deps.journal.conversation || this.storage === this.#told) return;
    this.#told = this.storage;
    this.#deps.onStorageChange();
  }

  /** @returns whether there may be more to do now. */
  async #drainBatch(): Promise<boolean> {
    const { journal, alarms, now } = this.#deps;
    // Should the object end in the middle, this wakes it; the one that was there may have fired meanwhile.
    alarms.schedule(OUTBOX_ALARM, now() + IF_LOST_MS);
    const limit = { ...BATCH, events: this.#batchEvents };
    const events = this.#backlog.after(journal.drainedSeq, limit);
    if (events.length === 0) return await this.#report();
    let remaining = events;
    while (remaining.length > 0) {
      const outcome = await this.#send(remaining);
      if (journal.conversation === null) return false; // deleted meanwhile
      if (outcome.ok) this.#reached(remaining.at(-1)?.seq ?? 0);
      else if (outcome.retry) return this.#failed(outcome);
      else if (remaining.length > 1) {
        remaining = remaining.slice(0, Math.ceil(remaining.length / 2));
        continue;
      } else this.#park(remaining[0], outcome.message);
      remaining = events.filter((event) => event.seq > journal.drainedSeq);
    }
    this.#batchEvents = Math.min(BATCH.events, this.#batchEvents * 4);
    return true;
  }

  /**
   * On behalf of the owner; one who has left a shared conversation's workspace cannot bring it there any more, whoever
   * wrote last can.
   */
  async #send(events: EventBatch["events"]): Promise<DrainOutcome> {
    const { id, workspaceId, ownerUserId } = this.#deps.journal.born;
    const batch = { conversationId: id, workspaceId, events };
    const outcome = await this.#ask({ userId: ownerUserId }, batch);
    if (outcome.ok || !outcome.retry || !outcome.orphaned) return outcome;
    const author = events
      .flatMap(({ event }) => (event.type === "message:added" ? (event.message.metadata.authorUserId ?? []) : []))
      .findLast((userId) => userId !== ownerUserId);
    return author === undefined ? outcome : await this.#ask({ userId: author }, batch);
  }

  async #ask(scope: { userId: string }, batch: EventBatch): Promise<DrainOutcome> {
    let late: { cancel(): void } | undefined;
    const impatient = new Promise<DrainOutcome>((resolve) => {
      const message = `there was no answer in ${PATIENCE_MS / 1000} s`;
      late = this.#deps.timers.after(PATIENCE_MS, () => resolve({ ok: false, retry: true, message }));
    });
    try {
      return await Promise.race([this.#deps.sink.drain(scope, batch), impatient]);
    } finally {
      late?.cancel();
    }
  }

  #reached(seq: number): void {
    this.#failures = 0;
    this.#deps.journal.setMeta("drainedSeq", String(seq));
  }

  #failed(outcome: Extract<DrainOutcome, { retry: true }>): false {
    const { journal, now, random } = this.#deps;
    if (journal.conversation === null) return false; // deleted meanwhile
    this.#failures++;
    this.#batchEvents = PROBE_EVENTS;
    const orphaned = outcome.orphaned === true;
    this.#retryAtMs = now() + drainDelayMs(this.#failures, orphaned, random());
    if (orphaned) journal.setMeta("orphaned", `${journal.lastSeq} ${this.#retryAtMs}`);
    console.warn(
      `conversation ${journal.born.id}: ${this.#backlog.events} events wait for Postgres (${outcome.message})`,
    );
    return false;
  }

  #park(event: EventBatch["events"][number] | undefined, why: string): void {
    if (!event) return;
    const { journal, now } = this.#deps;
    console.error(`conversation ${journal.born.id}: event ${event.seq} is refused by Postgres and parked (${why})`);
    journal.transact(() => {
      this.#parked.park(event.seq, event.event.type, why, now());
      this.#reached(event.seq);
    });
  }

  /** @returns whether there may be more to tell now. */
  async #report(): Promise<boolean> {
    const { journal } = this.#deps;
    const reported = this.#parked.unreported(journal.born.id, REPORTED_AT_ONCE);
    if (reported.length === 0) return false;
    try {
      const isTold = await this.#tellJobs(reported);
      const message = "nobody is known who may report what is parked";
      if (!isTold) return this.#failed({ ok: false, retry: true, orphaned: true, message });
    } catch (error) {
      const message = `what is parked could not be reported: ${error instanceof Error ? error.message : "no reason"}`;
      return this.#failed({ ok: false, retry: true, message });
    }
    if (journal.conversation === null) return false;
    this.#failures = 0;
    this.#parked.markReported(reported);
    return true;
  }

  /** As the log itself: on behalf of the owner, or else of whoever wrote last. @returns false where neither may */
  async #tellJobs(reported: readonly ReportedJob[]): Promise<boolean> {
    const { journal, jobs, sql } = this.#deps;
    const { id, ownerUserId } = journal.born;
    if (await jobs.report({ userId: ownerUserId }, id, reported)) return true;
    const query = `select json_extract(metadata, '$.authorUserId') as author from messages
      where author is not null and author <> ? order by seq desc limit 1`;
    const [last] = sql.exec<{ author: string }>(query, ownerUserId).toArray();
    return last !== undefined && (await jobs.report({ userId: last.author }, id, reported));
  }
}
