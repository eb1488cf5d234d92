import { catalogueSeed } from "../../domain/catalogue/catalogue-seed.ts";
import type { connect } from "./database.ts";

/**
 * Brings the catalogue to what this version of the program knows. A row that did not change keeps its revision, so that
 * nobody reads the catalogue again for nothing; one that the seed no longer has is retired, because answers name it.
 * @returns whether anything changed
 */
export async function seedCatalogue(client: ReturnType<typeof connect>): Promise<boolean> {
  const [written, retired] = await client.transaction([
    client.query(
      `insert into public.catalogue_models as model (provider, id, facts, position, revision)
      select entry ->> 'provider', entry ->> 'id', entry, position, nextval('app.revisions')
      from jsonb_array_elements($1::jsonb) with ordinality as listed (entry, position)
      on conflict (provider, id) do update
      set facts = excluded.facts, position = excluded.position, revision = excluded.revision
      where (model.facts, model.position) is distinct from (excluded.facts, excluded.position) returning 1`,
      [JSON.stringify(catalogueSeed)],
    ),
    client.query(
      `update public.catalogue_models as model
      set facts = model.facts || '{"isRetired": true}', revision = nextval('app.revisions')
      where not (model.facts @> '{"isRetired": true}') and not exists (
        select from jsonb_array_elements($1::jsonb) as entry
        where entry ->> 'provider' = model.provider and entry ->> 'id' = model.id
      ) returning 1`,
      [JSON.stringify(catalogueSeed)],
    ),
  ]);
  return [written, retired].some((rows) => (rows?.length ?? 0) > 0);
}
