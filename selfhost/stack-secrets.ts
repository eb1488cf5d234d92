import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { Settings } from "../shared/contract/settings.ts";
import { StartProblem } from "./start-problem.ts";

const Secrets = z.object({
  BETTER_AUTH_SECRET: z.string().min(32),
  CREDENTIALS_KEYS: Settings.shape.CREDENTIALS_KEYS,
  SETUP_TOKEN: z.string().min(16),
});
export type StackSecrets = z.infer<typeof Secrets>;

/** What was made with the secrets and is lost without them. */
const madeWithThem = ["database", "state"];

/**
 * Reads the secrets of this data folder, making them on its first use only: a new set would end every session and
 * make every saved credential unreadable.
 * @throws StartProblem when the file is gone or damaged while data made with it is there
 */
export function readOrMakeSecrets(dataDir: string, env: NodeJS.ProcessEnv): StackSecrets & { areNew: boolean } {
  const path = join(dataDir, "secrets.json");
  if (existsSync(path)) return { ...readSecrets(path), areNew: false };
  const inEnvironment = Boolean(env.BETTER_AUTH_SECRET && env.CREDENTIALS_KEYS);
  if (!inEnvironment && madeWithThem.some((name) => existsSync(join(dataDir, name)))) {
    throw new StartProblem(
      `The secrets file ${path} is missing, but the data beside it was made with it. Put the file back from a backup, ` +
        "or set BETTER_AUTH_SECRET and CREDENTIALS_KEYS to their old values.",
    );
  }
  const secrets: StackSecrets = {
    BETTER_AUTH_SECRET: randomBytes(32).toString("base64url"),
    CREDENTIALS_KEYS: `k1:${randomBytes(32).toString("base64")}`,
    SETUP_TOKEN: randomBytes(18).toString("base64url"),
  };
  writeFileSync(path, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600, flag: "wx", flush: true });
  return { ...secrets, areNew: true };
}

/**
 * Puts a new key in front of the folder's ring: it seals from the next start on, the others still open what they sealed.
 * @returns its name
 * @throws StartProblem as `readOrMakeSecrets`, or when there are no secrets yet
 */
export function addCredentialsKey(dataDir: string): string {
  const path = join(dataDir, "secrets.json");
  if (!existsSync(path))
    throw new StartProblem(
      `There are no keys in ${dataDir} yet; the first start makes them. Set MOSAIC_DATA_DIR if they are elsewhere.`,
    );
  const secrets = readSecrets(path);
  const names = new Set(secrets.CREDENTIALS_KEYS.split(",").map((entry) => entry.trim().split(":")[0]));
  let number = names.size + 1;
  while (names.has(`k${number}`)) number += 1;
  const keys = `k${number}:${randomBytes(32).toString("base64")},${secrets.CREDENTIALS_KEYS}`;
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify({ ...secrets, CREDENTIALS_KEYS: keys }, null, 2)}\n`, {
    mode: 0o600,
    flush: true,
  });
  renameSync(draft, path);
  return `k${number}`;
}

/** When the folder's secrets were last written, ISO; null when there are none. */
export function secretsWrittenAt(dataDir: string): string | null {
  return statSync(join(dataDir, "secrets.json"), { throwIfNoEntry: false })?.mtime.toISOString() ?? null;
}

function readSecrets(path: string): StackSecrets {
  const damaged = new StartProblem(
    `The secrets file ${path} is damaged. Put it back from a backup; a new one would lock out everything saved so far.`,
  );
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, "utf8"));
  } catch {
    throw damaged;
  }
  const parsed = Secrets.safeParse(content);
  if (!parsed.success) throw damaged;
  return parsed.data;
}
