import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readMigrations } from "../../../selfhost/database/read-migrations.ts";
import { startDatabase } from "../../../selfhost/database/start-database.ts";
import { migrate } from "../../adapters/postgres/migrator.ts";

export const MIGRATIONS_FOLDER = join(import.meta.dirname, "../../../migrations");

export interface TestDatabase {
  appUrl: string;
  authUrl: string;
  ownerUrl: string;
  /** What `DATABASE_HTTP_ENDPOINT` is set to. */
  endpoint: string;
  stop(): Promise<void>;
}

export interface TestDatabaseOptions {
  /** The owner of an empty database on a real server, instead of the embedded one. */
  upstreamUrl?: string;
}

/** A migrated database of its own behind the local Neon endpoint, in a temporary folder that `stop` removes. About 4 s. */
export async function startTestDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const dataDir = await mkdtemp(join(tmpdir(), "mosaic-test-database-"));
  const upstream = options.upstreamUrl ? { upstream: { ownerUrl: options.upstreamUrl } } : {};
  const database = await startDatabase({ dataDir, port: 0, ...upstream });
  const { appUrl, authUrl, ownerUrl, endpoint } = database;
  const stop = async (): Promise<void> => {
    await database.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    const migrations = readMigrations(MIGRATIONS_FOLDER);
    await migrate({ databaseUrl: ownerUrl, endpoint, migrations, roleUrls: [appUrl, authUrl] });
  } catch (error) {
    await stop();
    throw error;
  }
  return { appUrl, authUrl, ownerUrl, endpoint, stop };
}
