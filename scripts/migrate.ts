/**
 * `npm run migrate`: brings the database of `DATABASE_URL` (as its owner) up to date: Neon itself, or any Postgres.
 * The roles get the passwords in `DATABASE_APP_URL` and `DATABASE_AUTH_URL` where those are given.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readMigrations } from "../selfhost/database/read-migrations.ts";
import { startDatabase } from "../selfhost/database/start-database.ts";
import { migrate } from "../shared/adapters/postgres/migrator.ts";

const FOLDER = join(import.meta.dirname, "../migrations");

async function main(): Promise<void> {
  const {
    DATABASE_URL: databaseUrl,
    DATABASE_APP_URL,
    DATABASE_AUTH_URL,
    DATABASE_HTTP_ENDPOINT: endpoint,
  } = process.env;
  if (!databaseUrl) {
    throw new Error(
      "Set DATABASE_URL to the owner's connection string. The embedded database is migrated by `npm start`.",
    );
  }
  if (!URL.canParse(databaseUrl)) {
    throw new Error("DATABASE_URL is not a URL of the form postgresql://user:password@host/database.");
  }
  const roleUrls = [DATABASE_APP_URL, DATABASE_AUTH_URL].filter((url): url is string => Boolean(url));
  const options = {
    roleUrls,
    migrations: readMigrations(FOLDER),
    onStep: (name: string) => console.log(`Applying ${name}`),
  };
  const speaksHttp = Boolean(endpoint) || new URL(databaseUrl).hostname.endsWith(".neon.tech");
  const applied = speaksHttp
    ? await migrate({ ...options, databaseUrl, endpoint: endpoint || undefined })
    : await migrateOverTcp(databaseUrl, options);
  console.log(
    applied.length === 0
      ? "The database is up to date."
      : `The database is up to date; ${applied.length} new migrations went in.`,
  );
}

/** The migrator speaks Neon's HTTP; for any other Postgres the local endpoint translates. */
async function migrateOverTcp(
  ownerUrl: string,
  options: Omit<Parameters<typeof migrate>[0], "databaseUrl">,
): Promise<string[]> {
  const dataDir = await mkdtemp(join(tmpdir(), "mosaic-migrate-"));
  try {
    const database = await startDatabase({ dataDir, port: 0, upstream: { ownerUrl } });
    try {
      return await migrate({ ...options, databaseUrl: database.ownerUrl, endpoint: database.endpoint });
    } finally {
      await database.stop();
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
