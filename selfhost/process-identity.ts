/** Tells one process from a later one with the same number, so that a number from a file never ends somebody else's. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** @returns a text that no other process ever has, or null when `pid` is gone or a zombie. */
export function processIdentity(pid: number): string | null {
  return process.platform === "linux" ? linuxIdentity(pid) : psIdentity(pid);
}

function linuxIdentity(pid: number): string | null {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? null : `${boot}/${fields[19] ?? ""}`;
  } catch {
    return null;
  }
}

function psIdentity(pid: number): string | null {
  try {
    return execFileSync("ps", ["-o", "lstart=,comm=", "-p", String(pid)], { encoding: "utf8" }).trim() || null;
  } catch {
    return null;
  }
}

/** The processes that `parent` started and that still run, with their command lines. */
export function childrenOf(parent: number): { pid: number; command: string }[] {
  const all = process.platform === "linux" ? linuxProcesses() : psProcesses();
  return all.filter((candidate) => candidate.parent === parent);
}

interface Listed {
  pid: number;
  parent: number;
  command: string;
}

function linuxProcesses(): Listed[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.flatMap((name) => {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      return [
        { pid: Number(name), parent, command: readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ") },
      ];
    } catch {
      return []; // It ended while we looked.
    }
  });
}

function psProcesses(): Listed[] {
  const lines = execFileSync("ps", ["-axo", "pid=,ppid=,command="], { encoding: "utf8" }).split("\n");
  return lines.flatMap((line) => {
    const [, pid, parent, command] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return pid && parent && command ? [{ pid: Number(pid), parent: Number(parent), command }] : [];
  });
}

/** On Linux: the processes that were started with `name=value` in their environment. Elsewhere nothing can tell. */
export function processesMarked(name: string, value: string): { pid: number; command: string }[] {
  if (process.platform !== "linux") return [];
  return linuxProcesses().filter(({ pid }) => {
    try {
      return (
        pid !== process.pid && readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(`${name}=${value}`)
      );
    } catch {
      return false; // Another user's, or gone.
    }
  });
}
