import type { DeltaFrame } from "../../shared/contract/frames.ts";
import { mergeDeltas } from "../../shared/domain/fan-out/merge-deltas.ts";
import type { Timers } from "../../shared/ports/timers.ts";
import type { Reader } from "./reader.ts";

const MERGE_MS = 16;
/**
 * From here on everyone's deltas are merged. An object delivers 20,000 to 70,000 frames a second to its sockets
 * (measured; more where there are many). To 32 of them the 500 tokens a second of a fast model are 16,000 frames: what
 * one thread can do beside its other work. Merged, 200 sockets cost 12,500 however fast the model is.
 */
const MANY_READERS = 32;

interface Deps {
  now: () => number;
  timers: Pick<Timers, "after">;
  readers: () => Iterable<Reader>;
}

interface Merging {
  delta: DeltaFrame;
  readers: ReadonlySet<Reader>;
  timer: { cancel(): void };
}

/**
 * Two lanes for the pieces of a running answer. In the prompt one each goes out at once; in the merging one at most one
 * frame goes out in 16 ms, the first without waiting. Who is behind rides in the merging lane, and everyone does when
 * many are attached. A reader changes lanes only while nothing is held back, so its offsets always fit.
 */
export class DeltaLanes {
  readonly #deps: Deps;
  #merging: Merging | null = null;
  #mergedAtMs = 0;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  push(delta: DeltaFrame): void {
    const { now, timers } = this.#deps;
    if (this.#merging) {
      const { readers } = this.#merging;
      const merged = mergeDeltas(this.#merging.delta, delta);
      if (merged) {
        this.#merging.delta = merged;
        return this.#send(delta, (reader) => !readers.has(reader));
      }
      this.flush();
    }
    const merges = this.#whoMerges();
    const waitMs = Math.min(MERGE_MS, this.#mergedAtMs + MERGE_MS - now());
    if (merges.size === 0) return this.#send(delta, () => true);
    if (waitMs <= 0) {
      this.#mergedAtMs = now();
      return this.#send(delta, () => true);
    }
    this.#merging = { delta, readers: merges, timer: timers.after(waitMs, () => this.flush()) };
    this.#send(delta, (reader) => !merges.has(reader));
  }

  /** Sends what is held back. Call before anything that must come after it. */
  flush(): void {
    const merging = this.#merging;
    if (!merging) return;
    this.#merging = null;
    merging.timer.cancel();
    this.#mergedAtMs = this.#deps.now();
    this.#send(merging.delta, (reader) => merging.readers.has(reader));
  }

  #whoMerges(): Set<Reader> {
    const readers = [...this.#deps.readers()];
    return new Set(readers.length >= MANY_READERS ? readers : readers.filter((reader) => reader.isBehind));
  }

  /** The JSON is made once for all of them, and not at all for nobody. */
  #send(delta: DeltaFrame, to: (reader: Reader) => boolean): void {
    let text: string | null = null;
    for (const reader of this.#deps.readers()) {
      if (!to(reader)) continue;
      text ??= JSON.stringify(delta);
      reader.push(delta, text);
    }
  }
}
