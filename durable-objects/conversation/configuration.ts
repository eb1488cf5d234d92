import type { ConfigurationReader, TurnConfiguration } from "../../shared/ports/conversation-store.ts";
import type { Timers } from "../../shared/ports/timers.ts";
import type { Journal } from "./journal.ts";

/** After this long a turn goes on with the last settings it knows. */
const DEADLINE_MS = 250;
/** For this long an answer stands for a turn that is about to start; that one may be stopped before it does. */
const AHEAD_MS = 1_000;

export interface ReadConfiguration {
  /** Null before the first good read. */
  value: TurnConfiguration | null;
  from: "fresh" | "snapshot";
}

interface Deps {
  journal: Journal;
  reader: ConfigurationReader;
  timers: Pick<Timers, "wait">;
}

/** The settings of a turn: read once for each, fresh within a deadline, else the object's last good copy. */
export class Configuration {
  readonly #deps: Deps;
  #ahead: Promise<TurnConfiguration | null> | null = null;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /**
   * Asks now for the turn that is about to start. Called before its message is written: what an object sends after a
   * write waits until that write is on disk.
   */
  readAhead(): void {
    if (this.#ahead) return;
    const asked = this.#ask();
    this.#ahead = asked;
    void this.#deps.timers.wait(AHEAD_MS).then(() => {
      if (this.#ahead === asked) this.#ahead = null;
    });
  }

  async read(): Promise<ReadConfiguration> {
    const { journal, timers } = this.#deps;
    const asked = this.#ahead ?? this.#ask();
    this.#ahead = null;
    const value = await Promise.race([asked, timers.wait(DEADLINE_MS).then(() => null)]);
    const snapshot = journal.meta("configuration");
    if (!value) return { value: snapshot ? (JSON.parse(snapshot) as TurnConfiguration) : null, from: "snapshot" };
    const text = JSON.stringify(value);
    if (text !== snapshot) journal.setMeta("configuration", text);
    return { value, from: "fresh" };
  }

  #ask(): Promise<TurnConfiguration | null> {
    const { journal, reader } = this.#deps;
    const { ownerUserId, workspaceId } = journal.born;
    return reader.read({ userId: ownerUserId }, workspaceId).catch(() => null);
  }
}
