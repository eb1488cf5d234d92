import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * What the wire to the database does at the moment. `away`: nobody is there; `silent`: takes questions and never answers;
 * `fail`: refuses before running them, as a server that shuts down or is full; `lose`: runs them and the answer never
 * arrives. The last two are shares of the statements, 0 to 1.
 */
export interface DatabaseFaults {
  mode: "ok" | "away" | "silent";
  delayMs: number;
  fail: number;
  lose: number;
  seed: number;
}

export const NO_FAULTS: DatabaseFaults = { mode: "ok", delayMs: 0, fail: 0, lose: 0, seed: 0 };

/** Names the folder that the wire reads its orders from, in the environment of the stack. */
export const FAULTS_FOLDER = "CHAOS_FAULTS_FOLDER";
export const faultsFile = (folder: string): string => join(folder, "database-faults.json");
/** Where the database listens; the wire writes it down. */
export const portFile = (folder: string): string => join(folder, "database-port");

/** Takes effect with the next statement, in every database process that is started with the folder. */
export function setDatabaseFaults(folder: string, faults: DatabaseFaults): void {
  const path = faultsFile(folder);
  writeFileSync(`${path}.new`, JSON.stringify(faults));
  renameSync(`${path}.new`, path);
}
