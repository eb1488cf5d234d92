/**
 * `npm run bench:start-up`: clones the committed checkout into an empty folder, installs, and times the first and the
 * later `npm start` until the ready line; also the size of the Worker's bundle.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { freePort } from "../shared/testing/node/stack.ts";
import { percentile, printFigures } from "./statistics.ts";

const LATER_STARTS = 5;
const root = join(import.meta.dirname, "..");

/** Seconds from `npm start` to its ready line; the stack is stopped again. */
async function startOnce(checkout: string): Promise<number> {
  const env = { ...process.env, PORT: String(await freePort()), OLLAMA_BASE_URL: "off" };
  const startedAt = performance.now();
  const child = spawn("npm", ["start"], { cwd: checkout, env, stdio: ["ignore", "pipe", "inherit"], detached: true });
  let output = "";
  const seconds = await new Promise<number>((resolve, reject) => {
    child.on("close", (code) => reject(new Error(`npm start ended with ${code}:\n${output}`)));
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (output.includes("Mosaic is ready at")) resolve((performance.now() - startedAt) / 1000);
    });
  });
  if (child.pid !== undefined) process.kill(-child.pid, "SIGTERM");
  await once(child, "close").catch(() => undefined);
  return seconds;
}

const folder = mkdtempSync(join(tmpdir(), "mosaic-start-up-"));
try {
  execFileSync("git", ["clone", "--quiet", root, folder]);
  execFileSync("node", ["scripts/install.mjs"], { cwd: folder, stdio: "inherit" });
  const first = await startOnce(folder);
  const later: number[] = [];
  for (let round = 0; round < LATER_STARTS; round++) later.push(await startOnce(folder));
  const bundle = join(folder, "dist", "worker");
  const modules = readdirSync(bundle).filter((name) => name.endsWith(".js"));
  const gzipped = modules.reduce((sum, name) => sum + gzipSync(readFileSync(join(bundle, name))).length, 0);
  printFigures([
    { what: "first `npm start` after the install", value: first, unit: "s", atMost: 15 },
    { what: "later `npm start`, p50", value: percentile(later, 0.5), unit: "s", atMost: 4 },
    { what: "Worker bundle, gzipped", value: gzipped / 1024, unit: "KiB", atMost: 1024 },
  ]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
