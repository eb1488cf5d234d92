import { sql } from "drizzle-orm";
import * as z from "zod";
import { AppError } from "../../domain/app-error.ts";
import { type Database, sqlStateOf } from "./database.ts";

/** drizzle-kit's time of the newest migration this code needs; a test compares it with the migration folder. */
export const NEWEST_MIGRATION = 1_795_290_034_260;

const Last = z.tuple([z.object({ last: z.coerce.number() })]);

/** Is the database there, and are the migrations in? One round trip, never throws. */
export async function checkDatabase(database: Database): Promise<{ ok: boolean; detail: string }> {
  try {
    const [found] = await database.unscoped((db) => [db.execute(sql`select app.last_migration() as last`)]);
    const [{ last }] = Last.parse(found.rows);
    return last >= NEWEST_MIGRATION
      ? { ok: true, detail: "reachable, migrations are in" }
      : { ok: false, detail: "migrations are missing; run `npm run migrate`" };
  } catch (error) {
    if (error instanceof AppError) return { ok: false, detail: "the database cannot be reached" };
    // An undefined schema or function: nothing was ever migrated.
    if (["3F000", "42883", "42501"].includes(sqlStateOf(error) ?? "")) {
      return { ok: false, detail: "migrations are missing; run `npm run migrate`" };
    }
    return { ok: false, detail: "the database answered with an error" };
  }
}
