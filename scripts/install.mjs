/**
 * Runs before every npm script, on whatever Node the machine has (20 suffices): installs the pinned packages, and with
 * them the Node that everything else runs on. Does nothing when node_modules already matches the lockfile.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const lockfile = join(root, "package-lock.json");
const modules = join(root, "node_modules");
const stamp = join(modules, ".mosaic-installed");

/** A dependency added by hand with `npm install` leaves no stamp, but needs no second install either. */
function matchesLockfile() {
  const hidden = join(modules, ".package-lock.json");
  if (!existsSync(hidden)) return false;
  const installed = JSON.parse(readFileSync(hidden, "utf8")).packages;
  const wanted = JSON.parse(readFileSync(lockfile, "utf8")).packages;
  const isThere = ([path, entry]) =>
    path === "" ||
    (installed[path]
      ? installed[path].version === entry.version
      : entry.optional === true || entry.peer === true || entry.devOptional === true);
  return Object.entries(wanted).every(isThere) && Object.keys(installed).every((path) => path in wanted);
}

function runNpm(args) {
  const npm = process.env.npm_execpath;
  if (npm?.endsWith("npm-cli.js"))
    return spawnSync(process.execPath, [npm, ...args], { cwd: root, stdio: ["ignore", 2, 2] });
  const windows = process.platform === "win32";
  return spawnSync(windows ? "npm.cmd" : "npm", args, { cwd: root, stdio: ["ignore", 2, 2], shell: windows });
}

/** The Node of this checkout, or the one that runs now where the packages bring none. */
export function nodePath() {
  const own = join(modules, ".bin", "node");
  return existsSync(own) ? own : process.execPath;
}

/** @returns null when everything is there, else one sentence saying what to do. */
export function install() {
  const hash = createHash("sha256").update(readFileSync(lockfile)).digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === hash) return null;
  if (!matchesLockfile()) {
    console.error("Installing the pinned packages with `npm ci` (once; about half a minute).");
    const { status, error } = runNpm(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
    if (error)
      return `The packages could not be installed: npm did not start (${error.message}). Install npm 10 or later and try again.`;
    if (status !== 0)
      return `The packages could not be installed: npm ended with code ${status}, its own lines above say why. Check the network and try again.`;
  }
  writeFileSync(stamp, hash);
  return null;
}

/** Own Node first; on systems without one (macOS, Windows) the machine's must run TypeScript by itself. */
function nodeProblem() {
  if (nodePath() !== process.execPath) return null;
  const [major, minor] = process.versions.node.split(".").map(Number);
  const runsTypeScript = major > 23 || (major === 23 && minor >= 6) || (major === 22 && minor >= 18);
  return runsTypeScript
    ? null
    : `Mosaic needs Node 24 on this system, and this is ${process.versions.node}. Install Node 24 and try again.`;
}

/** Installs what is missing, or says why it cannot and ends the process with code 1. */
export function installOrExit() {
  const problem = install() ?? nodeProblem();
  if (!problem) return;
  console.error(problem);
  process.exit(1);
}

if (process.argv[1] && fileURLToPath(import.meta.url) === process.argv[1]) installOrExit();
