import type { Clock, Timer } from "./clock.ts";

const REPORT_EVERY_MS = 1000;
/** During a long replay the server hears more often, or it would take this client for a slow reader. */
const REPORT_EVERY_EVENTS = 200;

/** Which event was read last, and telling the server about it. */
export class EventPosition {
  /** null: no replay was asked for, and no welcome has said yet where the log ends. */
  #seq: number | null;
  /** null: no welcome yet; undefined: the log that was welcomed has none. */
  #logId: string | null | undefined = null;
  #reported = 0;
  #touched = false;
  #timer: Timer | null = null;
  readonly #clock: Clock;
  readonly #report: (seq: number) => boolean;

  constructor(since: number | null, clock: Clock, report: (seq: number) => boolean) {
    this.#seq = since;
    this.#clock = clock;
    this.#report = report;
  }

  /** What to resume after; null asks for no replay. */
  get since(): number | null {
    return this.#seq;
  }

  /**
   * Compares with the server's log: "rebuilt" when what was read is not what is there now. A number: where a view that
   * asked for no replay begins.
   */
  welcome(lastSeq: number, logId: string | undefined): "resumed" | "rebuilt" | number {
    const isSameLog = this.#logId === null || this.#logId === logId;
    this.#logId = logId;
    if (this.#seq === null) {
      this.#seq = lastSeq;
      return lastSeq;
    }
    if (isSameLog && this.#seq <= lastSeq) return "resumed";
    this.#seq = 0;
    this.#reported = 0;
    return "rebuilt";
  }

  /** Whether this event was read. */
  hasRead(seq: number): boolean {
    return this.#seq !== null && seq <= this.#seq;
  }

  take(seq: number): "next" | "repeated" | "gap" {
    const last = this.#seq ?? 0;
    if (seq <= last) return "repeated";
    if (seq > last + 1) return "gap";
    this.#seq = seq;
    if (seq - this.#reported >= REPORT_EVERY_EVENTS) this.flush();
    else this.#timer ??= this.#clock.after(REPORT_EVERY_MS, () => this.flush());
    return "next";
  }

  /** Something without a position was read: a long answer is many deltas and no event, and the server counts both. */
  touch(): void {
    this.#touched = true;
    this.#timer ??= this.#clock.after(REPORT_EVERY_MS, () => this.flush());
  }

  flush(): void {
    this.pause();
    if (this.#seq === null || (this.#seq <= this.#reported && !this.#touched)) return;
    this.#touched = false;
    if (this.#report(this.#seq)) this.#reported = this.#seq;
  }

  pause(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }
}
