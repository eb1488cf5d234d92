import type { CatalogueModel, ModelFacts, TurnConfiguration } from "./turn-configuration.ts";

/** Models that a snapshot keeps of an instance's list, and of a vendor's rows in the catalogue. */
const MAX_MODELS = 40;

const first = <Item>(items: readonly Item[]): Item[] => items.slice(0, MAX_MODELS);

/** By vendor, the rows of those that may be asked at all: what their instances list, and the first of the others. */
function rowsOf(
  configuration: TurnConfiguration,
  kinds: ReadonlySet<string>,
  listed: ReadonlySet<string>,
): CatalogueModel[] {
  return [...kinds].flatMap((kind) => {
    const rows = configuration.catalogue.filter((row) => row.provider === kind);
    return first(rows.toSorted((a, b) => Number(listed.has(b.id)) - Number(listed.has(a.id))));
  });
}

/**
 * What an object keeps of a configuration for the time without a database: the records with their secrets sealed, and
 * no more models than a person would look through.
 * @param preferred the models that stay, by instance; the others of a list go first
 */
export function snapshotOf(
  configuration: TurnConfiguration,
  preferred: ReadonlyMap<string, ReadonlySet<string>>,
  environmentKinds: readonly string[],
): TurnConfiguration {
  const status = configuration.status.map(({ listed, ...rest }) => {
    const stays = preferred.get(rest.providerId);
    const sorted = (models: ModelFacts[]): ModelFacts[] =>
      stays ? models.toSorted((a, b) => Number(stays.has(b.id)) - Number(stays.has(a.id))) : models;
    return { ...rest, listed: listed && first(sorted(listed)) };
  });
  const kinds = new Set([...configuration.providers.map((record) => record.kind), ...environmentKinds]);
  const listed = new Set(status.flatMap((each) => (each.listed ?? []).map((model) => model.id)));
  return { ...configuration, status, catalogue: rowsOf(configuration, kinds, listed) };
}

/** What a snapshot of one person's says to another: everything but that person's own providers. */
export function withoutOwn(configuration: TurnConfiguration): TurnConfiguration {
  const providers = configuration.providers.filter((record) => record.scope !== "user");
  return { ...configuration, providers };
}
