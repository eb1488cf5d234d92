import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import type { Migration } from "../../shared/adapters/postgres/migrator.ts";

const Journal = z.object({ entries: z.array(z.object({ tag: z.string(), when: z.number() })) });

/**
 * The migration folder that drizzle-kit keeps, in order.
 * @throws Error with one sentence when a file is missing
 */
export function readMigrations(folder: string): Migration[] {
  const read = (path: string): string => {
    try {
      return readFileSync(path, "utf8");
    } catch {
      throw new Error(`The migration file ${path} cannot be read.`);
    }
  };
  const journal = Journal.parse(JSON.parse(read(join(folder, "meta", "_journal.json"))));
  return journal.entries.map(({ tag, when }) => ({ name: tag, when, sql: read(join(folder, `${tag}.sql`)) }));
}
