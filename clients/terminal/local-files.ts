import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import * as z from "zod";
import type { OutboxStorage } from "../../shared/client/outbox.ts";

type Environment = Record<string, string | undefined>;

const configFolder = (env: Environment): string => join(env.XDG_CONFIG_HOME || join(homedir(), ".config"), "mosaic");
/** Where a file of settings is, in the person's own configuration folder. */
export const configFile = (env: Environment, name: string): string => join(configFolder(env), name);
const stateFolder = (env: Environment): string =>
  join(env.XDG_STATE_HOME || join(homedir(), ".local", "state"), "mosaic");

/** Written beside and renamed: a kill in between leaves the old file, never half of the new one. */
export function writePrivately(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const beside = `${path}.${process.pid}.new`;
  writeFileSync(beside, text, { mode: 0o600 });
  chmodSync(beside, 0o600);
  renameSync(beside, path);
}

const Credentials = z.record(z.string(), z.object({ token: z.string() }));

/** Session tokens by address, in a file only its owner reads. */
export function credentialFile(env: Environment) {
  const path = configFile(env, "credentials.json");
  const read = (): z.infer<typeof Credentials> => {
    try {
      return Credentials.parse(JSON.parse(readFileSync(path, "utf8")));
    } catch {
      // None yet, or not ours: signing in writes it anew.
      return {};
    }
  };
  return {
    path,
    token: (url: string): string | undefined => read()[url]?.token,
    save: (url: string, token: string): void => {
      writePrivately(path, `${JSON.stringify({ ...read(), [url]: { token } }, null, 2)}\n`);
    },
    forget: (url: string): void => {
      const { [url]: _, ...others } = read();
      writePrivately(path, `${JSON.stringify(others, null, 2)}\n`);
    },
  };
}

const RECORD = ".json";

const outboxFolder = (env: Environment, url: string): string =>
  join(stateFolder(env), "outbox", createHash("sha256").update(url).digest("hex").slice(0, 16));

const entriesOf = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
};

/** Unacknowledged messages of one conversation, one file each. */
export function fileOutbox(env: Environment, url: string, conversationId: string): OutboxStorage {
  const folder = join(outboxFolder(env, url), conversationId);
  return {
    load: () =>
      entriesOf(folder)
        .filter((name) => name.endsWith(RECORD))
        .flatMap((name) => {
          try {
            return [readFileSync(join(folder, name), "utf8")];
          } catch {
            // Another terminal on this conversation was faster.
            return [];
          }
        }),
    save: (id, record) => writePrivately(join(folder, `${id}${RECORD}`), record),
    remove: (id) => rmSync(join(folder, `${id}${RECORD}`), { force: true }),
  };
}

/** Conversations in which an earlier run left something unsent. */
export const conversationsWithOutbox = (env: Environment, url: string): string[] =>
  entriesOf(outboxFolder(env, url)).filter(
    (id) =>
      z.guid().safeParse(id).success &&
      entriesOf(join(outboxFolder(env, url), id)).some((name) => name.endsWith(RECORD)),
  );
