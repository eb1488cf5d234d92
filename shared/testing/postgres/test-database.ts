import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, rename, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readMigrations } from "../../../selfhost/database/read-migrations.ts";
import { type RunningDatabase, startDatabase } from "../../../selfhost/database/start-database.ts";
import { migrate } from "../../adapters/postgres/migrator.ts";

export const MIGRATIONS_FOLDER = join(import.meta.dirname, "../../../migrations");

const CACHE = join(import.meta.dirname, "../../../.cache/test-database");

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

/** A migrated database of its own behind the local Neon endpoint, in a temporary folder that `stop` removes. */
export async function startTestDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const dataDir = await mkdtemp(join(tmpdir(), "mosaic-test-database-"));
  const remove = (): Promise<void> => rm(dataDir, { recursive: true, force: true });
  try {
    if (options.upstreamUrl === undefined) await cp(await template(), dataDir, { recursive: true });
    const upstream = options.upstreamUrl ? { upstream: { ownerUrl: options.upstreamUrl } } : {};
    const database = await startMigrated({ dataDir, ...upstream });
    const { appUrl, authUrl, ownerUrl, endpoint } = database;
    const stop = async (): Promise<void> => {
      await database.stop();
      await remove();
    };
    return { appUrl, authUrl, ownerUrl, endpoint, stop };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function startMigrated(where: { dataDir: string; upstream?: { ownerUrl: string } }): Promise<RunningDatabase> {
  const database = await startDatabase({ port: 0, ...where });
  const { appUrl, authUrl, ownerUrl: databaseUrl, endpoint } = database;
  try {
    await migrate({
      databaseUrl,
      endpoint,
      migrations: readMigrations(MIGRATIONS_FOLDER),
      roleUrls: [appUrl, authUrl],
    });
    return database;
  } catch (error) {
    await database.stop();
    throw error;
  }
}

/** A stopped, migrated database to copy: making one takes seconds, copying it a fraction of one. */
async function template(): Promise<string> {
  const hash = createHash("sha256").update(process.versions.modules);
  for (const { name, sql } of readMigrations(MIGRATIONS_FOLDER)) hash.update(`${name}\n${sql}\n`);
  const folder = join(CACHE, hash.digest("hex").slice(0, 16));
  if (await isThere(folder)) return folder;
  await mkdir(CACHE, { recursive: true });
  const draft = await mkdtemp(join(CACHE, "draft-"));
  await (await startMigrated({ dataDir: draft })).stop();
  // Another run may have been faster; its template is as good.
  await rename(draft, folder).catch(() => rm(draft, { recursive: true, force: true }));
  return folder;
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
