/**
 * Many named alarms over the one alarm an object has. The earliest time stands for a name until it fires; the platform
 * alarm is set only when it must come earlier than the one that is pending, because every `setAlarm` is a write.
 */
export class AlarmScheduler {
  readonly #sql: SqlStorage;
  readonly #storage: DurableObjectStorage;
  readonly #keepAlive: (promise: Promise<unknown>) => void;
  #armedFor: number | null = null;

  constructor(storage: DurableObjectStorage, keepAlive: (promise: Promise<unknown>) => void) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#keepAlive = keepAlive;
  }

  /** Makes `name` fire at `atMs` (epoch) or earlier, if it was due earlier already. */
  schedule(name: string, atMs: number): void {
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
    const due = [...this.#sql.exec<{ name: string }>("select name from alarms where at <= ? order by at", nowMs)];
    this.#sql.exec("delete from alarms where at <= ?", nowMs);
    this.rearm();
    return due.map((row) => row.name);
  }

  /** Sets the platform's alarm to the earliest name; also heals an object whose alarm was lost. */
  rearm(): void {
    const [next] = [...this.#sql.exec<{ at: number }>("select at from alarms order by at limit 1")];
    if (next) this.#arm(next.at);
  }

  #at(name: string): number | null {
    const [row] = [...this.#sql.exec<{ at: number }>("select at from alarms where name = ?", name)];
    return row?.at ?? null;
  }

  #arm(atMs: number): void {
    if (this.#armedFor !== null && this.#armedFor <= atMs) return;
    this.#armedFor = atMs;
    this.#keepAlive(this.#storage.setAlarm(atMs));
  }
}
