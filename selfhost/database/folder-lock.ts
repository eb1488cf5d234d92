import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import * as z from "zod";

const Holder = z.object({
  pid: z.int().positive(),
  host: z.string(),
  startTime: z.string().nullable(),
  since: z.string(),
});
type Holder = z.infer<typeof Holder>;

const HEARTBEAT_MS = 2_000;
/** A holder on another host cannot be asked; it is gone when its heartbeat has been silent this long. */
const SILENT_MS = 20_000;

export interface FolderLock {
  release(): void;
}

/**
 * Claims a data folder for this process. PGlite has no lock of its own: two processes on one folder silently diverge.
 * The lock of a dead process is taken over.
 * @throws Error with one sentence that names the holder
 */
export function lockFolder(dataDir: string): FolderLock {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const path = join(dataDir, "lock");
  const mine: Holder = {
    pid: process.pid,
    host: hostname(),
    startTime: startTimeOf(process.pid),
    since: new Date().toISOString(),
  };
  claim(path, mine);
  const heartbeat = setInterval(() => touch(path), HEARTBEAT_MS);
  heartbeat.unref();
  return {
    release: () => {
      clearInterval(heartbeat);
      if (sameHolder(read(path), mine)) rmSync(path, { force: true });
    },
  };
}

/** Since when (ISO) a living process holds the folder; null when none does. */
export function heldSince(dataDir: string): string | null {
  const path = join(dataDir, "lock");
  const holder = read(path);
  return holder && isAlive(holder, path) ? holder.since : null;
}

function claim(path: string, mine: Holder): void {
  for (let attempt = 0; attempt < 5; attempt += 1) {
    if (create(path, mine)) return;
    const holder = read(path);
    if (holder && isAlive(holder, path)) {
      const where = holder.host === hostname() ? "" : ` on ${holder.host}`;
      throw new Error(
        `The database folder ${join(path, "..")} is in use by process ${holder.pid}${where} since ${holder.since}. ` +
          "Stop that one first, or choose another folder with MOSAIC_DATA_DIR.",
      );
    }
    removeStale(path, holder);
  }
  throw new Error(`The lock file ${path} could not be taken. Try again in a moment.`);
}

function create(path: string, mine: Holder): boolean {
  try {
    writeFileSync(path, JSON.stringify(mine), { flag: "wx", mode: 0o600, flush: true });
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

/** Moves the dead holder's lock aside; when another process was faster, its fresh lock goes back. */
function removeStale(path: string, stale: Holder | null): void {
  const aside = `${path}.stale-${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  const moved = read(aside);
  if (moved && !sameHolder(moved, stale)) create(path, moved);
  rmSync(aside, { force: true });
}

function read(path: string): Holder | null {
  try {
    const parsed = Holder.safeParse(JSON.parse(readFileSync(path, "utf8")));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

const sameHolder = (one: Holder | null, other: Holder | null): boolean =>
  one?.pid === other?.pid && one?.host === other?.host && one?.since === other?.since;

function isAlive(holder: Holder, path: string): boolean {
  if (holder.host !== hostname()) {
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0);
    return age < SILENT_MS;
  }
  // Within this very process a second claim is a second opener too.
  const startTime = startTimeOf(holder.pid);
  // Where start times are known, none means gone, or a zombie that nobody reaped yet: it answers signals, but holds nothing.
  if (holder.startTime !== null) return holder.startTime === startTime;
  try {
    process.kill(holder.pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** When a process began, in clock ticks since boot: tells a process from a later one with the same number. Linux only. */
function startTimeOf(pid: number): string | null {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A zombie still has a number, but holds nothing.
    return fields[0] === "Z" ? null : `${boot}/${fields[19] ?? ""}`;
  } catch {
    return null;
  }
}

function touch(path: string): void {
  try {
    utimesSync(path, new Date(), new Date());
  } catch {
    // Someone removed the lock file; the next opener will say so, this process goes on.
  }
}
