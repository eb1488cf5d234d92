import { findModel } from "../../shared/domain/catalogue/find-model.ts";
import { heldAgainst, snapshotOf, withoutOwn } from "../../shared/domain/providers/snapshot-configuration.ts";
import type { TurnConfiguration } from "../../shared/ports/conversation-store.ts";
import type { ProviderDirectory } from "../../shared/ports/provider-directory.ts";
import type { Journal } from "./journal.ts";

/** Places beside the owner's: in a shared conversation the last few who spoke have one each. */
const OTHERS = ["snapshot:1", "snapshot:2", "snapshot:3", "snapshot:4"] as const;
const OWNERS = "snapshot:owner";
/** Names of models that messages asked for, which stay although they stand far down in their vendor's list. */
const MAX_ASKED = 10;

interface Deps {
  journal: Journal;
  providers: Pick<ProviderDirectory, "instances" | "environment">;
  now(): number;
}

interface Snapshot {
  userId: string;
  atMs: number;
  value: TurnConfiguration;
  /** Names of models, the newest first. */
  asked: string[];
}

/** What a stored snapshot was made from, and as what it was stored: whether it still is, the journal says. */
interface Kept {
  asked: readonly string[];
  made: readonly unknown[];
  stored: string;
}

/** The last good configurations of those who spoke here, for the time without a database. */
export class Snapshots {
  readonly #deps: Deps;
  readonly #kept = new Map<string, Kept>();
  /** By who asked, the instances that the snapshots were held against last. */
  readonly #heeded = new Map<string, string>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Call inside `transact`. @param asked the models that the turn asks */
  keep(userId: string, value: TurnConfiguration, asked: readonly string[]): void {
    const { journal, providers, now } = this.#deps;
    const place = this.#placeOf(userId);
    const known = this.#kept.get(place);
    const before = known?.stored === journal.meta(place) ? known : undefined;
    const asking = [...new Set([...asked, ...(before?.asked ?? this.#read(place, userId)?.asked ?? [])])];
    const newest = asking.slice(0, MAX_ASKED);
    const { model } = journal.born;
    const made = [
      userId,
      JSON.stringify([value.workspace, value.providers, model, newest.toSorted()]),
      value.catalogue,
      ...value.status.map(({ listed }) => listed),
    ];
    if (before?.made.length === made.length && made.every((each, index) => each === before.made[index])) return;
    const instances = providers.instances(value);
    const names = [model, value.workspace.defaultModel, ...newest].filter((name) => name !== null);
    const wanted = names.flatMap((name) => {
      const found = findModel(name, instances);
      return found.found ? [found.model.id] : [];
    });
    const lists = new Map(instances.map(({ id, models }) => [id, models.map((each) => each.id)]));
    const kinds = providers.environment().map(({ kind }) => kind);
    const kept = snapshotOf(value, { wanted: new Set(wanted), lists }, kinds);
    const snapshot: Snapshot = { userId, atMs: now(), value: kept, asked: newest };
    const stored = JSON.stringify(snapshot);
    journal.setMeta(place, stored);
    this.#kept.set(place, { asked: newest, made, stored });
    this.#heeded.clear();
  }

  /**
   * What Postgres said to somebody counts for every snapshot: an instance that is gone, or a key that was removed, is
   * not remembered either.
   * @param userId who asked
   */
  heed(userId: string, { providers }: TurnConfiguration): void {
    const said = JSON.stringify(providers);
    if (this.#heeded.get(userId) === said) return;
    for (const place of [OWNERS, ...OTHERS]) {
      const snapshot = this.#read(place);
      if (!snapshot) continue;
      const value = heldAgainst(snapshot.value, providers, snapshot.userId === userId);
      if (value !== snapshot.value) this.#deps.journal.setMeta(place, JSON.stringify({ ...snapshot, value }));
    }
    this.#heeded.set(userId, said);
  }

  /** Somebody has no access any more. */
  forget(userId: string): void {
    for (const place of [OWNERS, ...OTHERS]) {
      if (this.#read(place)?.userId === userId) this.#deps.journal.setMeta(place, "");
    }
  }

  /** A person's own; else another's without what is only theirs, because nobody spends another's key. */
  of(userId: string | null): TurnConfiguration | null {
    const all = [OWNERS, ...OTHERS].flatMap((place) => this.#read(place) ?? []);
    const own = all.find((each) => each.userId === userId);
    const [other] = all;
    return own?.value ?? (other ? withoutOwn(other.value) : null);
  }

  /** Where somebody's stands or will stand: an empty place, else the one that was written longest ago. */
  #placeOf(userId: string): string {
    if (userId === this.#deps.journal.born.ownerUserId) return OWNERS;
    const taken = OTHERS.map((place) => ({ place, snapshot: this.#read(place) }));
    const own = taken.find(({ snapshot }) => snapshot?.userId === userId);
    const atMs = ({ snapshot }: (typeof taken)[number]): number => snapshot?.atMs ?? 0;
    const [oldest] = taken.toSorted((a, b) => atMs(a) - atMs(b));
    return (own ?? oldest)?.place ?? OTHERS[0];
  }

  #read(place: string, userId?: string): Snapshot | null {
    const stored = this.#deps.journal.meta(place);
    const snapshot = stored ? (JSON.parse(stored) as Snapshot) : null;
    return userId === undefined || snapshot?.userId === userId ? snapshot : null;
  }
}
