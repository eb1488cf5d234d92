/**
 * The processes this stack started, on disk, so that the next start can end what a SIGKILL of the runner left behind
 * (an orphaned workerd keeps the port). Each is known by number and identity; one that does not match is left alone.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { processesMarked, processIdentity } from "./process-identity.ts";

const Recorded = z.array(z.object({ role: z.string(), pid: z.int().positive(), identity: z.string() }));
type Recorded = z.infer<typeof Recorded>;

/** In the environment of everything we start: finds an orphan whose number was not written down in time. */
export const PROCESS_MARK = "MOSAIC_STACK_FOLDER";

const programs = /(^|\/)workerd(\s|$)|selfhost\/database\/main\.ts/;

export class OwnProcesses {
  readonly #path: string;
  readonly #dataDir: string;
  #recorded: Recorded = [];

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
    this.#path = join(dataDir, "processes.json");
  }

  /** One process per role: a restarted one replaces its predecessor. */
  record(role: string, pid: number): void {
    const identity = processIdentity(pid);
    if (identity === null) return;
    this.#recorded = [...this.#recorded.filter((entry) => entry.role !== role), { role, pid, identity }];
    writeFileSync(this.#path, JSON.stringify(this.#recorded), { mode: 0o600 });
  }

  clear(): void {
    rmSync(this.#path, { force: true });
  }

  /** Ends what an earlier run of this data folder left. @returns their roles and numbers, for the log. */
  async endOrphans(): Promise<string[]> {
    const known = this.#readRecorded().filter(({ pid, identity }) => processIdentity(pid) === identity);
    const marked = processesMarked(PROCESS_MARK, this.#dataDir)
      .filter(({ pid, command }) => programs.test(command) && known.every((entry) => entry.pid !== pid))
      .flatMap(({ pid, command }) => {
        const identity = processIdentity(pid);
        return identity === null ? [] : [{ role: /workerd/.test(command) ? "workerd" : "database", pid, identity }];
      });
    const orphans = [...known, ...marked];
    await Promise.all(
      orphans.map(({ pid, identity, role }) => endProcess(pid, identity, role === "workerd" ? 0 : 3_000)),
    );
    this.clear();
    return orphans.map(({ role, pid }) => `${basename(role)} ${pid}`);
  }

  #readRecorded(): Recorded {
    try {
      const parsed = Recorded.safeParse(JSON.parse(readFileSync(this.#path, "utf8")));
      return parsed.success ? parsed.data : [];
    } catch {
      return [];
    }
  }
}

/** Asks, waits `graceMs`, then insists. The identity is looked at before each signal: numbers are used again. */
async function endProcess(pid: number, identity: string, graceMs: number): Promise<void> {
  if (graceMs > 0) signal(pid, identity, "SIGTERM");
  await isGone(pid, identity, graceMs);
  signal(pid, identity, "SIGKILL");
  await isGone(pid, identity, 2_000);
}

function signal(pid: number, identity: string, name: NodeJS.Signals): void {
  if (processIdentity(pid) !== identity) return;
  try {
    process.kill(pid, name);
  } catch {
    // It ended by itself in between.
  }
}

async function isGone(pid: number, identity: string, withinMs: number): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (Date.now() < deadline && processIdentity(pid) === identity) await sleep(20);
}
