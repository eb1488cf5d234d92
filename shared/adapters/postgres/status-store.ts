import { sql } from "drizzle-orm";
import * as z from "zod";
import type { StatusStore } from "../../ports/status-store.ts";
import type { Database } from "./database.ts";
import { CatalogueModels, listedOf, ProviderRecordRow, statusOf } from "./provider-rows.ts";

const StatusRows = z.array(z.object({ provider_id: z.string(), health: z.unknown(), listed: z.unknown() }));
const DueRows = z.array(z.object({ record: ProviderRecordRow }));
const CatalogueRows = z.array(z.object({ model: z.unknown() }));

/** What is known of instances, in Postgres. Through functions alone: probes act on nobody's behalf. */
export function createStatusStore(database: Database): StatusStore {
  return {
    saveHealth: async (providerId, health, { used }) => {
      await database.unscoped((db) => [
        db.execute(
          sql`select app.save_provider_health(${providerId}::uuid, ${JSON.stringify(health)}::jsonb, ${used})`,
        ),
      ]);
    },
    saveList: async (providerId, models, at) => {
      await database.unscoped((db) => [
        db.execute(
          sql`select app.save_provider_list(${providerId}::uuid, ${JSON.stringify(models)}::jsonb, ${at}::timestamptz)`,
        ),
      ]);
    },
    statuses: async (providerIds) => {
      if (providerIds.length === 0) return [];
      const [found] = await database.unscoped((db) => [
        db.execute(sql`select * from app.provider_statuses(${`{${providerIds.join(",")}}`}::uuid[])`),
      ]);
      return StatusRows.parse(found.rows).map(({ provider_id: providerId, health, listed }) =>
        statusOf({ providerId, health }, listedOf(listed)),
      );
    },
    due: async ({ askedBefore, usedAfter }, limit) => {
      const [found] = await database.unscoped((db) => [
        db.execute(sql`select app.due_providers(${askedBefore}::timestamptz, ${usedAfter}::timestamptz,
          ${limit}::integer) as record`),
      ]);
      return DueRows.parse(found.rows).map(({ record }) => record);
    },
    catalogue: async () => {
      const [found] = await database.unscoped((db) => [db.execute(sql`select app.catalogue() as model`)]);
      return CatalogueModels.parse(CatalogueRows.parse(found.rows).map(({ model }) => model));
    },
  };
}
