/** Where the database of a data folder listens while it runs: for commands beside the stack, such as `rotate-keys`. */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";

const Port = z.object({ port: z.int().positive() });
const fileOf = (dataDir: string): string => join(dataDir, "port.json");

export function rememberPort(dataDir: string, port: number): void {
  const draft = `${fileOf(dataDir)}.${process.pid}`;
  writeFileSync(draft, JSON.stringify({ port }), { mode: 0o600 });
  renameSync(draft, fileOf(dataDir));
}

export const forgetPort = (dataDir: string): void => rmSync(fileOf(dataDir), { force: true });

/** Says something only of a folder that a living process holds: else it may be left over, and the port another's by now. */
export function recallPort(dataDir: string): number | null {
  try {
    return Port.parse(JSON.parse(readFileSync(fileOf(dataDir), "utf8"))).port;
  } catch {
    return null;
  }
}
