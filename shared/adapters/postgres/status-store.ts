import { sql } from "drizzle-orm";
import * as z from "zod";
import type { StatusStore } from "../../ports/status-store.ts";
import type { Database } from "./database.ts";
import { FactsRow, KnownFacts } from "./known-facts.ts";
import { ProviderRecordRow, statusOf } from "./provider-rows.ts";

const SavedRows = z.tuple([z.object({ saved: z.boolean() })]);
const HealthRows = z.array(z.object({ provider_id: z.string(), health: z.unknown() }));
const FactsRows = z.tuple([z.object({ read: z.object(FactsRow) })]);
const ClaimedRows = z.array(z.object({ provider_id: z.string(), record: ProviderRecordRow.nullable() }));

const idsOf = (providerIds: readonly string[]): string => `{${providerIds.join(",")}}`;

/** What is known of instances, in Postgres. Through functions alone: probes act on nobody's behalf. */
export function createStatusStore(database: Database, known = new KnownFacts()): StatusStore {
  return {
    saveHealth: async (providerId, health, { used }) => {
      const [found] = await database.unscoped((db) => [
        db.execute(
          sql`select app.save_provider_health(${providerId}::uuid, ${JSON.stringify(health)}::jsonb, ${used}) as saved`,
        ),
      ]);
      const [{ saved }] = SavedRows.parse(found.rows);
      return saved;
    },
    saveList: async (providerId, models, at) => {
      await database.unscoped((db) => [
        db.execute(
          sql`select app.save_provider_list(${providerId}::uuid, ${JSON.stringify(models)}::jsonb, ${at}::timestamptz)`,
        ),
      ]);
    },
    healths: async (providerIds) => {
      if (providerIds.length === 0) return [];
      const [found] = await database.unscoped((db) => [
        db.execute(sql`select * from app.provider_healths(${idsOf(providerIds)}::uuid[])`),
      ]);
      return HealthRows.parse(found.rows).map(({ provider_id: providerId, health }) => {
        const status = statusOf({ providerId, health }, null);
        return { providerId, health: status.health };
      });
    },
    facts: async (providerIds) => {
      const had = known.of(providerIds);
      const [found] = await database.unscoped((db) => [
        db.execute(sql`select app.provider_facts(${idsOf(providerIds)}::uuid[], ${had.versions}::jsonb) as read`),
      ]);
      const [{ read }] = FactsRows.parse(found.rows);
      return known.complete(had, read);
    },
    claimDue: async (environmentIds, { askedBefore, usedAfter, at }, limit) => {
      const [found] = await database.unscoped((db) => [
        db.execute(sql`select * from app.claim_probes(${idsOf(environmentIds)}::uuid[], ${askedBefore}::timestamptz,
          ${usedAfter}::timestamptz, ${at}::timestamptz, ${limit}::integer)`),
      ]);
      const claimed = ClaimedRows.parse(found.rows);
      return {
        environmentIds: claimed.flatMap(({ provider_id, record }) => (record ? [] : [provider_id])),
        stored: claimed.flatMap(({ record }) => record ?? []),
      };
    },
  };
}
