import type { ConfigurationReader, TurnConfiguration } from "../../shared/ports/conversation-store.ts";
import type { Timers } from "../../shared/ports/timers.ts";
import type { Journal } from "./journal.ts";

/** After this long a turn goes on with the last settings it knows. */
const DEADLINE_MS = 250;

export interface ReadConfiguration {
  /** Null before the first good read. */
  value: TurnConfiguration | null;
  from: "fresh" | "snapshot";
}

interface Deps {
  journal: Journal;
  reader: ConfigurationReader;
  timers: Pick<Timers, "after">;
}

/** The settings of a turn: read once for each, fresh within a deadline, else the object's last good copy. */
export class Configuration {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async read(): Promise<ReadConfiguration> {
    const { journal, timers } = this.#deps;
    let late: { cancel(): void } | undefined;
    const deadline = new Promise<null>((resolve) => {
      late = timers.after(DEADLINE_MS, () => resolve(null));
    });
    const value = await Promise.race([this.#ask(), deadline]);
    late?.cancel();
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
