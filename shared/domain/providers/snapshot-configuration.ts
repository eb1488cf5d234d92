import { rowOf } from "../catalogue/describe-model.ts";
import type { ProviderRecord } from "./provider-record.ts";
import type { CatalogueModel, InstanceStatus, ModelFacts, TurnConfiguration } from "./turn-configuration.ts";

/** Models that a snapshot keeps of an instance's list, and of a vendor's rows in the catalogue. */
const MAX_MODELS = 40;

const first = <Item>(items: readonly Item[]): Item[] => items.slice(0, MAX_MODELS);

/** Which models stay; the others of a list, and of a vendor's rows, go first. */
interface Staying {
  /** Ids that somebody asks for by name: before all others, whoever has them. */
  wanted: ReadonlySet<string>;
  /** By instance, its models as a turn sees them, the best first. */
  lists: ReadonlyMap<string, readonly string[]>;
}

/** By vendor, the rows of those that may be asked at all: of what is wanted, of what is listed, and the first others. */
function rowsOf(
  configuration: TurnConfiguration,
  kinds: ReadonlySet<string>,
  wanted: ReadonlySet<string>,
  listed: ReadonlySet<string>,
): CatalogueModel[] {
  return [...kinds].flatMap((kind) => {
    const rows = configuration.catalogue.filter((row) => row.provider === kind);
    const asked = new Set([...wanted].map((id) => rowOf(rows, id)));
    const rank = (row: CatalogueModel): number => (asked.has(row) ? 0 : listed.has(row.id) ? 1 : 2);
    return first(rows.toSorted((a, b) => rank(a) - rank(b)));
  });
}

/** The part of a list that stays, in its own order of preference. */
function partOf(models: readonly ModelFacts[], wanted: ReadonlySet<string>, list: readonly string[]): ModelFacts[] {
  const place = new Map(list.map((id, index) => [id, index]));
  const rank = ({ id }: ModelFacts): number => (wanted.has(id) ? -1 : (place.get(id) ?? list.length));
  return first(models.toSorted((a, b) => rank(a) - rank(b)));
}

/**
 * What an object keeps of a configuration for the time without a database: the records with their secrets sealed, and
 * no more models than a person would look through.
 */
export function snapshotOf(
  configuration: TurnConfiguration,
  { wanted, lists }: Staying,
  environmentKinds: readonly string[],
): TurnConfiguration {
  const status = configuration.status.map((each): InstanceStatus => {
    const { providerId, listed } = each;
    return listed ? { ...each, listed: partOf(listed, wanted, lists.get(providerId) ?? []), isPart: true } : each;
  });
  const kinds = new Set([...configuration.providers.map((record) => record.kind), ...environmentKinds]);
  const listed = new Set(status.flatMap((each) => (each.listed ?? []).map((model) => model.id)));
  return { ...configuration, status, catalogue: rowsOf(configuration, kinds, wanted, listed) };
}

/** What a snapshot of one person's says to another: everything but that person's own providers. */
export function withoutOwn(configuration: TurnConfiguration): TurnConfiguration {
  const providers = configuration.providers.filter((record) => record.scope !== "user");
  return { ...configuration, providers };
}

/** What a snapshot still lets its reader use: without those whose key cannot be opened any more, who are told of. */
export function stillOpen(
  configuration: TurnConfiguration,
  opens: (sealed: string) => boolean,
): { value: TurnConfiguration; lost: ProviderRecord[] } {
  const isLost = ({ credential }: ProviderRecord): boolean => credential !== null && !opens(credential.sealed);
  const lost = configuration.providers.filter(isLost);
  const providers = configuration.providers.filter((record) => !isLost(record));
  return { value: { ...configuration, providers }, lost };
}

const isOlder = (said: ProviderRecord, kept: ProviderRecord): boolean =>
  said.version < kept.version || (said.credential?.version ?? 0) < (kept.credential?.version ?? 0);

/**
 * A snapshot after Postgres has said which instances there are: those that are gone go, those that were changed are as
 * they are now. An answer that is older than the snapshot takes nothing back.
 * @param isOwn the answer was to the one whose snapshot this is, and so speaks of what is theirs as well
 * @returns the same object where nothing differs
 */
export function heldAgainst(
  snapshot: TurnConfiguration,
  said: readonly ProviderRecord[],
  isOwn: boolean,
): TurnConfiguration {
  const providers = snapshot.providers.flatMap((kept) => {
    if (kept.scope === "user" && !isOwn) return [kept];
    const now = said.find(({ id }) => id === kept.id);
    return now ? [now.credential && isOlder(now, kept) ? kept : now] : [];
  });
  const isSame = JSON.stringify(providers) === JSON.stringify(snapshot.providers);
  return isSame ? snapshot : { ...snapshot, providers };
}
