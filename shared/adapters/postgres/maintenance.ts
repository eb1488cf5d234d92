import { sql } from "drizzle-orm";
import * as z from "zod";
import type { Maintenance } from "../../ports/maintenance.ts";
import type { Database } from "./database.ts";

/** An hour's grace, so that whoever polls a device code or follows a link just too late still hears that it expired. */
const ended = sql`expires_at < now() - interval '1 hour'`;

/** Counters of attempts: the longest window is a quarter of an hour. `last_request` is in milliseconds. */
const stale = sql`last_request < (extract(epoch from now()) - 3600) * 1000`;

const expired = [
  { table: sql`auth.session`, condition: ended },
  { table: sql`auth.verification`, condition: ended },
  { table: sql`auth.device_code`, condition: ended },
  { table: sql`auth.api_key`, condition: ended },
  { table: sql`auth.rate_limit`, condition: stale },
] as const;

/** By table. */
const Counts = z.record(z.string(), z.number());

/** Each role sweeps what it may reach: `auth_user` the sign-in tables, `app_user` the rest through one function. */
export function createMaintenance({ app, auth }: { app: Database; auth: Database }): Maintenance {
  return {
    sweepExpired: async (atMost) => {
      const [first, ...rest] = expired;
      const deleted = await auth.unscoped((db) => {
        // Condition twice: a row that was prolonged between the look and the deletion stays.
        const query = ({ table, condition }: (typeof expired)[number]) =>
          db.execute(sql`delete from ${table} where ${condition} and id in (
            select id from ${table} where ${condition} limit ${atMost})`);
        return [query(first), ...rest.map(query)];
      });
      // After the sign-in tables: an attachment goes only when its credential has gone.
      const ours = await app.unscoped((db) => [
        db.execute(sql`select * from app.sweep_expired(${atMost}::integer)`),
        db.execute(sql`select * from app.sweep_providers(${atMost}::integer)`),
      ]);
      const counts = [
        ...deleted.map(({ rowCount }) => rowCount),
        ...ours.flatMap(({ rows }) => Object.values(Counts.parse(rows[0]))),
      ];
      return { rows: counts.reduce((sum, count) => sum + count, 0), more: counts.some((count) => count >= atMost) };
    },
  };
}
