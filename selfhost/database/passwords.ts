import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { ROLES, type Role } from "./backend.ts";

const Passwords = z.object({ owner: z.string().min(16), app_user: z.string().min(16), auth_user: z.string().min(16) });

/**
 * The roles' passwords: random, made once into the data folder, never anew.
 * @throws Error with one sentence when the file is there but cannot be read
 */
export function readOrMakePasswords(dataDir: string): Record<Role, string> {
  const path = join(dataDir, "passwords.json");
  if (existsSync(path)) {
    const parsed = Passwords.safeParse(readJson(path));
    if (parsed.success) return parsed.data;
    throw new Error(
      `${path} does not hold the database passwords any more; restore it from a backup, or remove it to have new ones made.`,
    );
  }
  const [owner, app_user, auth_user] = ROLES.map(() => randomBytes(24).toString("base64url"));
  const passwords = Passwords.parse({ owner, app_user, auth_user });
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(passwords, null, 2)}\n`, { mode: 0o600, flush: true });
  renameSync(draft, path);
  return passwords;
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return null;
  }
}
