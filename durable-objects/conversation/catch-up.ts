import { isWindowFull, OWED_MS, type ReaderLag } from "../../shared/domain/fan-out/reader-lag.ts";
import type { Timers } from "../../shared/ports/timers.ts";
import { type EventLog, eventText } from "./event-log.ts";

/** What is sent in one go: a couple of milliseconds of the object's one thread. */
const PAGE = { events: 200, length: 256 * 1024 };

interface Deps {
  log: EventLog;
  timers: Pick<Timers, "after">;
  reader: {
    readonly lag: ReaderLag;
    /** @returns false when nothing more can be sent. */
    write(text: string, seq: number): boolean;
    /** @returns whether it was cut. */
    cutIfTooFar(): boolean;
  };
  /** Called when it has to pause for the first time. */
  onPause: () => void;
  /** Everything in the log was sent. Called in the same instant, so that nothing slips between this and what is live. */
  onDone: (hasPaused: boolean) => void;
}

/**
 * Sends one socket the log from its position on, a page at a time, and lets the object do other work between pages. What
 * happens meanwhile goes to the log and so comes in its place. A client that reports is never sent far ahead of it.
 */
export class CatchUp {
  readonly #deps: Deps;
  #pause: { timer: { cancel(): void }; forReport: boolean } | null = null;
  #hasPaused = false;
  #isOver = false;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Sends the next page. */
  step(): void {
    const { log, reader, onDone } = this.#deps;
    this.#pause = null;
    if (this.#isOver) return;
    const rows = reader.lag.sentSeq < log.lastSeq ? log.rowsAfter(reader.lag.sentSeq, PAGE) : [];
    for (const row of rows) {
      if (!reader.write(eventText(row), row.seq)) return;
    }
    if (rows.length > 0 && reader.lag.sentSeq < log.lastSeq) return this.#wait(isWindowFull(reader.lag));
    this.#isOver = true;
    onDone(this.#hasPaused);
  }

  /** The client has reported. */
  reported(): void {
    if (!this.#pause?.forReport || isWindowFull(this.#deps.reader.lag)) return;
    this.#pause.timer.cancel();
    this.step();
  }

  cancel(): void {
    this.#isOver = true;
    this.#pause?.timer.cancel();
    this.#pause = null;
  }

  /** Waits for a report, or just for a breath. The timer also keeps the object from hibernating in between. */
  #wait(forReport: boolean): void {
    const { timers, reader, onPause } = this.#deps;
    if (!this.#hasPaused) onPause();
    this.#hasPaused = true;
    const expired = (): void => {
      if (reader.cutIfTooFar()) return;
      if (forReport) this.#wait(true);
      else this.step();
    };
    this.#pause = { timer: timers.after(forReport ? OWED_MS + 1 : 0, expired), forReport };
  }
}
