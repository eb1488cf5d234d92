import { migrate } from "../shared/adapters/postgres/migrator.ts";
import { readMigrations } from "./database/read-migrations.ts";
import type { DatabaseAddress } from "./database-process.ts";
import { messageOf, StartProblem } from "./start-problem.ts";

/**
 * Brings the schema up to date as the owner, and gives the Worker's two roles the passwords they sign in with.
 * @returns how many migrations were applied
 * @throws StartProblem when one fails; nothing of that one remains
 */
export async function migrateDatabase(address: DatabaseAddress, folder: string): Promise<number> {
  try {
    const applied = await migrate({
      databaseUrl: address.ownerUrl,
      endpoint: `http://127.0.0.1:${address.port}/sql`,
      migrations: readMigrations(folder),
      roleUrls: [address.appUrl, address.authUrl],
    });
    return applied.length;
  } catch (error) {
    throw new StartProblem(messageOf(error));
  }
}
