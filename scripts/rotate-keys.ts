/**
 * `npm run rotate-keys`: moves every saved credential under the newest key of the ring, and says which keys are not needed
 * any more. `-- --new-key` first puts a new key into the data folder's ring. Works beside a running stack, and against the
 * database of `DATABASE_URL`.
 */
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { heldSince } from "../selfhost/database/folder-lock.ts";
import { type ReachedDatabase, reachDatabase } from "../selfhost/database/reach-database.ts";
import { startDatabase } from "../selfhost/database/start-database.ts";
import { addCredentialsKey, readOrMakeSecrets, secretsWrittenAt } from "../selfhost/stack-secrets.ts";
import { createCredentialVault } from "../shared/adapters/crypto/credential-vault.ts";
import { createDatabase } from "../shared/adapters/postgres/database.ts";
import { createProviderStore } from "../shared/adapters/postgres/provider-store.ts";
import { parseKeyRing } from "../shared/contract/key-ring.ts";
import type { Rotation } from "../shared/ports/provider-store.ts";

const AT_ONCE = 500;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { "new-key": { type: "boolean", default: false } } });
  const dataDir = resolve(process.env.MOSAIC_DATA_DIR || ".mosaic");
  if (values["new-key"]) return addKey(dataDir);
  const keys = process.env.CREDENTIALS_KEYS || keysOf(dataDir);
  const database = await open(dataDir);
  try {
    const store = createProviderStore(createDatabase(database), createCredentialVault(keys));
    let rewrapped = 0;
    let round: Rotation;
    do {
      round = await store.rewrap(AT_ONCE);
      rewrapped += round.rewrapped;
    } while (round.rewrapped > 0);
    report(keys, { ...round, rewrapped });
  } finally {
    await database.leave();
  }
}

function addKey(dataDir: string): void {
  if (process.env.CREDENTIALS_KEYS)
    throw new Error(
      'The keys are in CREDENTIALS_KEYS: put a new one in front there, such as "k2:$(openssl rand -base64 32),…", and restart or deploy.',
    );
  const name = addCredentialsKey(dataDir);
  console.log(`The key ${name} is in ${join(dataDir, "secrets.json")} now. Back that file up, restart Mosaic, and run`);
  console.log("`npm run rotate-keys` (or wait an hour: it is done by itself then).");
}

function keysOf(dataDir: string): string {
  if (!existsSync(join(dataDir, "secrets.json")))
    throw new Error(`Set CREDENTIALS_KEYS, or MOSAIC_DATA_DIR to a data folder: there are no keys in ${dataDir}.`);
  const since = heldSince(dataDir);
  const written = secretsWrittenAt(dataDir);
  // What it moved now, the running stack could not open.
  if (since !== null && written !== null && written > since)
    throw new Error("Mosaic still runs with the keys of before. Restart it first, then run this again.");
  return readOrMakeSecrets(dataDir, process.env).CREDENTIALS_KEYS;
}

async function open(dataDir: string): Promise<ReachedDatabase> {
  const { DATABASE_URL: ownerUrl, DATABASE_HTTP_ENDPOINT: endpoint } = process.env;
  if (!ownerUrl) return await reachDatabase(join(dataDir, "database"));
  if (!URL.canParse(ownerUrl))
    throw new Error("DATABASE_URL is not a URL of the form postgresql://user:password@host/database.");
  if (endpoint || new URL(ownerUrl).hostname.endsWith(".neon.tech"))
    return { connectionString: ownerUrl, endpoint: endpoint ?? "", leave: async () => undefined };
  const folder = await mkdtemp(join(tmpdir(), "mosaic-rotate-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const database = await startDatabase({ dataDir: folder, port: 0, upstream: { ownerUrl } });
    const leave = () => database.stop().finally(remove);
    return { connectionString: database.ownerUrl, endpoint: database.endpoint, leave };
  } catch (error) {
    await remove();
    throw error;
  }
}

function report(keys: string, { rewrapped, failed, byKey }: Rotation): void {
  const ring = parseKeyRing(keys);
  const names = ring.ok ? ring.keys.map(({ id }) => id) : [];
  console.log(rewrapped === 0 ? "Nothing had to be moved." : `Moved ${rewrapped} to the newest key, ${names[0]}.`);
  for (const name of names) {
    const count = byKey[name] ?? 0;
    const mayGo = count === 0 && name !== names[0] ? "; it may be dropped from the ring" : "";
    console.log(`${name}: ${count} ${count === 1 ? "secret" : "secrets"}${mayGo}.`);
  }
  const missing = Object.keys(byKey).filter((name) => !names.includes(name));
  if (missing.length > 0)
    console.error(`Under keys that the ring does not have: ${missing.join(", ")}. Put them back.`);
  if (failed === 0) return;
  console.error(`${failed} could not be opened and stay as they are; their owners have to enter them again otherwise.`);
  process.exitCode = 1;
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
