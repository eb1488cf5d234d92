import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import * as z from "zod";
import { freePort, isRunning, makeDataDir } from "../../shared/testing/node/stack.ts";

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

let dataDir: string;
let npm: ChildProcess;
let output = "";
beforeEach(async () => {
  dataDir = await makeDataDir();
  output = "";
  const env = { ...process.env, PORT: String(await freePort()), MOSAIC_DATA_DIR: dataDir, OLLAMA_BASE_URL: "off" };
  npm = spawn("npm", ["start"], { cwd: join(import.meta.dirname, "..", ".."), env, stdio: ["ignore", "pipe", "pipe"] });
  npm.stdout?.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  while (!output.includes("Mosaic is ready at")) {
    if (npm.exitCode !== null) throw new Error(output);
    await sleep(50);
  }
});
afterEach(() => {
  npm.kill("SIGKILL");
  rmSync(dataDir, { recursive: true, force: true });
});

const Processes = z.array(z.object({ pid: z.int() }));
const Holder = z.object({ pid: z.int() });
const read = (name: string): unknown => JSON.parse(readFileSync(join(dataDir, name), "utf8"));

it.each(["SIGTERM", "SIGKILL"] as const)("leaves nothing running when npm itself gets %s", async (signal) => {
  const pids = [Holder.parse(read("lock")).pid, ...Processes.parse(read("processes.json")).map(({ pid }) => pid)];
  expect(pids).toHaveLength(3);
  expect(pids.every(isRunning)).toBe(true);
  npm.kill(signal);
  const deadline = Date.now() + 5_000;
  while (pids.some(isRunning) && Date.now() < deadline) await sleep(50);
  expect(pids.filter(isRunning)).toEqual([]);
});
