import type { ProviderRecord } from "../../shared/domain/providers/provider-record.ts";
import { stillOpen, withoutOwn } from "../../shared/domain/providers/snapshot-configuration.ts";
import type { ConfigurationReader, TurnConfiguration } from "../../shared/ports/conversation-store.ts";
import type { CredentialVault } from "../../shared/ports/credential-vault.ts";
import type { ProviderDirectory } from "../../shared/ports/provider-directory.ts";
import type { Timers } from "../../shared/ports/timers.ts";
import type { Journal } from "./journal.ts";
import { Snapshots } from "./snapshots.ts";

/** After this long a turn goes on with the last settings it knows. */
const DEADLINE_MS = 250;
/** A read that was begun early serves a turn that starts this soon. */
const EARLY_MS = 1_000;

export interface ReadConfiguration {
  /** Null before the first good read. */
  value: TurnConfiguration | null;
  from: "fresh" | "snapshot";
  /** Providers whose key in the snapshot cannot be opened any more. */
  lost: readonly Pick<ProviderRecord, "kind" | "displayName" | "scope">[];
  /** On whose behalf; null: on nobody's, without anything personal. */
  userId: string | null;
}

interface Deps {
  journal: Journal;
  reader: ConfigurationReader;
  providers: Pick<ProviderDirectory, "instances" | "environment">;
  vault: Pick<CredentialVault, "opens">;
  timers: Pick<Timers, "after">;
  now(): number;
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
  readonly #snapshots: Snapshots;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#snapshots = new Snapshots(deps);
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
    if (value) return { value, from: "fresh", lost: [], userId };
    const kept = this.#snapshots.of(userId);
    const { vault } = this.#deps;
    const usable = kept ? stillOpen(kept, (sealed) => vault.opens(sealed)) : { value: null, lost: [] };
    return { ...usable, from: "snapshot", userId };
  }

  /**
   * Keeps what was read, for the time without a database. Call inside `transact`.
   * @param asked names of the models that the turn asks
   */
  keep({ value, from, userId }: ReadConfiguration, asked: readonly string[]): void {
    if (value && from === "fresh" && userId !== null) this.#snapshots.keep(userId, value, asked);
  }

  /** Somebody has no access to this conversation any more. */
  forget(userId: string): void {
    this.#snapshots.forget(userId);
  }

  async #ask(userId: string | null): Promise<TurnConfiguration | null> {
    const { journal, reader } = this.#deps;
    const { ownerUserId, workspaceId } = journal.born;
    try {
      const value = await reader.read({ userId: userId ?? ownerUserId }, workspaceId);
      // Also where it comes too late for who asked: the next one must not use what is gone.
      if (journal.conversation) this.#snapshots.heed(userId ?? ownerUserId, value);
      return userId === null ? withoutOwn(value) : value;
    } catch {
      return null;
    }
  }
}
