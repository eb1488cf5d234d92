import { heldSince } from "./folder-lock.ts";
import { readOrMakePasswords } from "./passwords.ts";
import { recallPort } from "./running-port.ts";
import { startDatabase } from "./start-database.ts";

/** A data folder's embedded database as `app_user`, for a command that comes and goes. */
export interface ReachedDatabase {
  connectionString: string;
  endpoint: string;
  /** Stops it where it was started for this. */
  leave(): Promise<void>;
}

/**
 * Speaks to the database that runs on this folder, or starts it.
 * @throws Error with one sentence
 */
export async function reachDatabase(dataDir: string): Promise<ReachedDatabase> {
  if (heldSince(dataDir) === null) {
    const { appUrl, endpoint, stop } = await startDatabase({ dataDir, port: 0 });
    return { connectionString: appUrl, endpoint, leave: stop };
  }
  const port = recallPort(dataDir);
  if (port === null) throw new Error("The database is just starting or stopping. Try again in a moment.");
  const password = encodeURIComponent(readOrMakePasswords(dataDir).app_user);
  return {
    connectionString: `postgresql://app_user:${password}@127.0.0.1:${port}/mosaic`,
    endpoint: `http://127.0.0.1:${port}/sql`,
    leave: async () => undefined,
  };
}
