import { snapshotOf, withoutOwn } from "../../shared/domain/providers/snapshot-configuration.ts";
import type { ConfigurationReader, TurnConfiguration } from "../../shared/ports/conversation-store.ts";
import type { ProviderDirectory } from "../../shared/ports/provider-directory.ts";
import type { Timers } from "../../shared/ports/timers.ts";
import type { Journal } from "./journal.ts";

/** After this long a turn goes on with the last settings it knows. */
const DEADLINE_MS = 250;
/** A read that was begun early serves a turn that starts this soon. */
const EARLY_MS = 1_000;

export interface ReadConfiguration {
  /** Null before the first good read. */
  value: TurnConfiguration | null;
  from: "fresh" | "snapshot";
  /** On whose behalf; null: on nobody's, without anything personal. */
  userId: string | null;
}

interface Deps {
  journal: Journal;
  reader: ConfigurationReader;
  providers: Pick<ProviderDirectory, "instances" | "environment">;
  timers: Pick<Timers, "after">;
  now(): number;
}

interface Snapshot {
  userId: string;
  value: TurnConfiguration;
}

interface EarlyRead {
  userId: string;
  atMs: number;
  work: Promise<TurnConfiguration | null>;
}

/**
 * The settings of a turn, as they are for whoever asked: read once for each, fresh within a deadline, else the object's
 * last good copy.
 */
export class Configuration {
  readonly #deps: Deps;
  #early: EarlyRead | null = null;
  /** What the stored snapshots were made from. */
  readonly #kept = new Map<string, unknown[]>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Begins to read for a turn that is about to start. */
  readEarly(userId: string): void {
    this.#early = { userId, atMs: this.#deps.now(), work: this.#ask(userId) };
  }

  /** @param userId whose own providers may answer beside the shared ones; null: nobody's */
  async read(userId: string | null): Promise<ReadConfiguration> {
    const { timers, now } = this.#deps;
    const early = this.#early;
    this.#early = null;
    const isOurs = early !== null && early.userId === userId && now() - early.atMs < EARLY_MS;
    let late: { cancel(): void } | undefined;
    const deadline = new Promise<null>((resolve) => {
      late = timers.after(DEADLINE_MS, () => resolve(null));
    });
    const value = await Promise.race([isOurs ? early.work : this.#ask(userId), deadline]);
    late?.cancel();
    return value ? { value, from: "fresh", userId } : { value: this.#snapshot(userId), from: "snapshot", userId };
  }

  /** Keeps what was read, for the time without a database. Call inside `transact`. */
  keep({ value, from, userId }: ReadConfiguration): void {
    if (!value || from === "snapshot" || userId === null) return;
    const { journal, providers } = this.#deps;
    const slot = this.#slotOf(userId);
    const made = [
      userId,
      JSON.stringify([value.workspace, value.providers]),
      value.catalogue,
      ...value.status.map(({ listed }) => listed),
    ];
    const before = this.#kept.get(slot);
    if (before?.length === made.length && made.every((each, index) => each === before[index])) return;
    const preferred = providers
      .instances(value)
      .map(({ id, models }) => [id, new Set(models.slice(0, 40).map((model) => model.id))] as const);
    const kinds = providers.environment().map(({ kind }) => kind);
    const snapshot: Snapshot = { userId, value: snapshotOf(value, new Map(preferred), kinds) };
    journal.setMeta(slot, JSON.stringify(snapshot));
    this.#kept.set(slot, made);
  }

  /** The owner's has a place of its own; the others share one. */
  #slotOf(userId: string): string {
    return userId === this.#deps.journal.born.ownerUserId ? "snapshot:owner" : "snapshot:other";
  }

  #snapshot(userId: string | null): TurnConfiguration | null {
    const slots = [userId === null ? "snapshot:owner" : this.#slotOf(userId), "snapshot:owner", "snapshot:other"];
    const snapshots = slots.flatMap((slot) => {
      const stored = this.#deps.journal.meta(slot);
      return stored ? [JSON.parse(stored) as Snapshot] : [];
    });
    const own = snapshots.find((each) => each.userId === userId);
    const [other] = snapshots;
    // Nobody spends another's key.
    return own?.value ?? (other ? withoutOwn(other.value) : null);
  }

  async #ask(userId: string | null): Promise<TurnConfiguration | null> {
    const { journal, reader } = this.#deps;
    const { ownerUserId, workspaceId } = journal.born;
    try {
      const value = await reader.read({ userId: userId ?? ownerUserId }, workspaceId);
      return userId === null ? withoutOwn(value) : value;
    } catch {
      return null;
    }
  }
}
