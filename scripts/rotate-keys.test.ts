import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { lockFolder } from "../selfhost/database/folder-lock.ts";
import { readMigrations } from "../selfhost/database/read-migrations.ts";
import { type RunningDatabase, startDatabase } from "../selfhost/database/start-database.ts";
import { readOrMakeSecrets } from "../selfhost/stack-secrets.ts";
import { createCredentialVault } from "../shared/adapters/crypto/credential-vault.ts";
import { migrate } from "../shared/adapters/postgres/migrator.ts";
import { bindingOf } from "../shared/ports/credential-vault.ts";
import { openRooms, type Person } from "../shared/testing/postgres/suite/people.ts";
import { makeHouse, newProvider, providersOf } from "../shared/testing/postgres/suite/provider-people.ts";
import { MIGRATIONS_FOLDER } from "../shared/testing/postgres/test-database.ts";

vi.setConfig({ testTimeout: 300_000, hookTimeout: 60_000 });

const SCRIPT = join(import.meta.dirname, "rotate-keys.ts");
const run = promisify(execFile);
let dataDir = "";
let database: RunningDatabase | undefined;

const start = async () => {
  database = await startDatabase({ dataDir: join(dataDir, "database"), port: 0 });
  return openRooms(database);
};
const stop = async () => {
  await database?.stop();
  database = undefined;
};
const keys = () => readOrMakeSecrets(dataDir, {}).CREDENTIALS_KEYS;

/** What it prints, and with what code it ends. */
async function rotate(words: string[] = [], env: Record<string, string> = {}) {
  const { CREDENTIALS_KEYS: _, DATABASE_URL: __, ...rest } = process.env;
  const options = { env: { ...rest, MOSAIC_DATA_DIR: dataDir, ...env } };
  return await run(process.execPath, [SCRIPT, ...words], options).then(
    ({ stdout, stderr }) => ({ code: 0, said: stdout + stderr }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      code: error.code,
      said: error.stdout + error.stderr,
    }),
  );
}

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "mosaic-rotate-test-"));
});
afterAll(async () => {
  await stop();
  await rm(dataDir, { recursive: true, force: true });
});

it("moves what is saved to a new key, stack stopped or running, says which key may go, and prints no key", async () => {
  expect(await rotate()).toMatchObject({ code: 1, said: expect.stringContaining("Set CREDENTIALS_KEYS") });
  expect(await rotate(["--new-key"])).toMatchObject({
    code: 1,
    said: expect.stringContaining("the first start makes them"),
  });
  const first = readOrMakeSecrets(dataDir, {}).CREDENTIALS_KEYS;
  const rooms = await start();
  if (!database) throw new Error("not started");
  const { ownerUrl, appUrl, authUrl, endpoint } = database;
  await migrate({
    databaseUrl: ownerUrl,
    endpoint,
    migrations: readMigrations(MIGRATIONS_FOLDER),
    roleUrls: [appUrl, authUrl],
  });
  const { ann, bob } = await makeHouse(rooms);
  const made = await Promise.all(
    [ann, bob].map(async (who) => {
      const provider = await newProvider(who, {}, { sealer: createCredentialVault(first) });
      return { who, record: (await providersOf(rooms).create(who, provider)).record };
    }),
  );
  const opened = async (ring: string, live = rooms) => {
    const open = async ({ who, record }: { who: Person; record: (typeof made)[number]["record"] }) => {
      const sealed = (await providersOf(live).find(who, record.id))?.record.credential?.sealed ?? "";
      return createCredentialVault(ring)
        .open(sealed, bindingOf(record))
        .then(
          () => "opens",
          () => "does not",
        );
    };
    return Promise.all(made.map(open));
  };

  // While the stack runs: both locks are held, and the database listens.
  const stackLock = lockFolder(dataDir);
  expect(await rotate()).toMatchObject({ code: 0, said: "Nothing had to be moved.\nk1: 2 secrets.\n" });
  const added = await rotate(["--new-key"]);
  expect(added).toMatchObject({ code: 0, said: expect.stringContaining("The key k2 is in") });
  expect(keys()).toMatch(new RegExp(`^k2:.{44},${first.replaceAll(/[+/]/g, "\\$&")}$`));
  expect(await rotate()).toMatchObject({ code: 1, said: expect.stringContaining("Restart it first") });
  expect(await opened(first)).toEqual(["opens", "opens"]);
  expect(await rotate(["--new-key"], { CREDENTIALS_KEYS: first })).toMatchObject({ code: 1 });

  // Restarted.
  stackLock.release();
  const longAgo = new Date(Date.now() - 60_000);
  await utimes(join(dataDir, "secrets.json"), longAgo, longAgo);
  const again = lockFolder(dataDir);
  const done = await rotate();
  expect(done).toMatchObject({
    code: 0,
    said: "Moved 2 to the newest key, k2.\nk2: 2 secrets.\nk1: 0 secrets; it may be dropped from the ring.\n",
  });
  expect(await opened(keys().split(",")[0] ?? "")).toEqual(["opens", "opens"]);
  again.release();

  await stop();
  const stopped = await rotate([], { CREDENTIALS_KEYS: first });
  expect(stopped).toMatchObject({ code: 1, said: expect.stringContaining("does not have: k2. Put them back.") });
  for (const { said } of [added, done, stopped])
    for (const key of keys()
      .split(/[,:]/)
      .filter((word) => word.length > 3))
      expect(said).not.toContain(key);
  expect(await readFile(join(dataDir, "secrets.json"), "utf8")).toContain("BETTER_AUTH_SECRET");
});
