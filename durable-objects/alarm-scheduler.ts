import type { Timers } from "../shared/ports/timers.ts";

/** After this much quiet, alarms that nobody needs any more are taken back; an object can hibernate after 10 s. */
const RETIRE_AFTER_MS = 4_000;
/** Where an alarm's work failed, the storage may fail for a while. */
const RETRY_AFTER_MS = 30_000;

interface Deps {
  storage: DurableObjectStorage;
  background(work: Promise<unknown>): void;
  timers: Pick<Timers, "after">;
  now: () => number;
  /** Whether there is still something to do when this alarm fires. */
  isNeeded: (name: string) => boolean;
  /** False once the storage is erased. */
  exists: () => boolean;
}

/**
 * Many named alarms over the one alarm an object has. The earliest time stands for a name until it fires; the platform
 * alarm is set only when it must come earlier than the one that is pending, because every `setAlarm` is a write. For
 * the same reason an alarm is not taken back when its work is done but when the object has become quiet: the next
 * message finds it still set, and an idle object is not woken by it.
 */
export class AlarmScheduler {
  readonly #deps: Deps;
  readonly #sql: SqlStorage;
  #armedFor: number | null = null;
  #scheduledAt = 0;
  #retiring = false;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#sql = deps.storage.sql;
  }

  /** Makes `name` fire at `atMs` (epoch) or earlier, if it was due earlier already. */
  schedule(name: string, atMs: number): void {
    this.#scheduledAt = this.#deps.now();
    if (!this.#retiring) this.#retireIn(RETIRE_AFTER_MS);
    const pending = this.#at(name);
    if (pending !== null && pending <= atMs) return;
    this.#sql.exec(
      "insert into alarms (name, at) values (?, ?) on conflict (name) do update set at = excluded.at",
      name,
      atMs,
    );
    this.#arm(atMs);
  }

  /** The names that are due, each handed out once; what is left is armed again. */
  takeDue(nowMs: number): string[] {
    this.#armedFor = null;
    const all = this.#all(); // what may throw comes before what is not to be lost
    this.#sql.exec("delete from alarms where at <= ?", nowMs);
    const next = all.find(({ at }) => at > nowMs);
    if (next) this.#arm(next.at);
    return all.filter(({ at }) => at <= nowMs).map(({ name }) => name);
  }

  /** The work of this alarm failed, and the alarm is used up: it fires again, as soon as the storage takes it. */
  retry(name: string): void {
    this.#deps.timers.after(RETRY_AFTER_MS, () => {
      try {
        if (this.#deps.exists()) this.schedule(name, this.#deps.now());
      } catch (error) {
        console.error(`the alarm ${name} could not be set again:`, error);
        this.retry(name);
      }
    });
  }

  /** Sets the platform's alarm to the earliest name; also heals an object whose alarm was lost. */
  rearm(): void {
    const [next] = this.#all();
    if (next) this.#arm(next.at);
  }

  #retireIn(ms: number): void {
    this.#retiring = true;
    this.#deps.timers.after(ms, () => {
      this.#retiring = false;
      const waitMs = this.#scheduledAt + RETIRE_AFTER_MS - this.#deps.now();
      if (waitMs > 0) this.#retireIn(Math.min(waitMs, RETIRE_AFTER_MS));
      else if (this.#deps.exists()) this.#retire();
    });
  }

  #retire(): void {
    const { storage, background, isNeeded } = this.#deps;
    const [needed, done] = [true, false].map((is) => this.#all().filter(({ name }) => isNeeded(name) === is));
    if (!needed || !done || done.length === 0) return;
    for (const { name } of done) this.#sql.exec("delete from alarms where name = ?", name);
    const next = needed[0]?.at ?? null;
    if (next === this.#armedFor) return;
    this.#armedFor = next;
    background(next === null ? storage.deleteAlarm() : storage.setAlarm(next));
  }

  #all(): { name: string; at: number }[] {
    return [...this.#sql.exec<{ name: string; at: number }>("select name, at from alarms order by at")];
  }

  #at(name: string): number | null {
    const [row] = [...this.#sql.exec<{ at: number }>("select at from alarms where name = ?", name)];
    return row?.at ?? null;
  }

  #arm(atMs: number): void {
    if (this.#armedFor !== null && this.#armedFor <= atMs) return;
    this.#armedFor = atMs;
    this.#deps.background(this.#deps.storage.setAlarm(atMs));
  }
}
