/**
 * A program of its own, because what it tries used to block a whole process: a Worker that writes far more to its log
 * than a pipe holds, while cron triggers fire. Prints how many of them were handled, and what a stranger got who knows
 * the timer's name.
 */
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { claimPort } from "../../../selfhost/free-port.ts";
import { WorkerRuntime } from "../../../selfhost/worker-runtime.ts";

const WORKER = `
let handled = 0;
export default {
  async fetch(request) {
    if (request.url.endsWith("/handled")) return new Response(String(handled));
    for (let round = 0; round < 100; round++) {
      for (let line = 0; line < 40; line++) console.log("x".repeat(8_000));
      await scheduler.wait(5);
    }
    return new Response();
  },
  async scheduled() { handled++; },
};`;

const root = mkdtempSync(join(tmpdir(), "mosaic-noisy-"));
mkdirSync(join(root, "dist", "worker"), { recursive: true });
writeFileSync(join(root, "dist", "worker", "index.js"), WORKER);
const built = { cronTriggers: ["* * * * *"], compatibilityDate: "2026-10-01" };
writeFileSync(join(root, "dist", "worker-options.json"), JSON.stringify(built));

const port = await claimPort("127.0.0.1", 0);
const runtime = new WorkerRuntime({
  host: "127.0.0.1",
  port,
  root,
  dataDir: join(root, "data"),
  bindings: {},
  receiveMail: async () => new Response(),
  print: () => {},
  onStarted: () => {},
});
await runtime.start();
const url = `http://127.0.0.1:${port}`;
const noise = fetch(url).then((response) => response.text());
for (let round = 0; round < 5; round++) {
  await setTimeout(50); // in the middle of it
  await runtime.runCron("* * * * *", new Date());
}
await noise;
const stranger = request({ port, method: "POST", headers: { host: "timer.mosaic.invalid" } });
stranger.end(JSON.stringify({ cron: "* * * * *", scheduledTime: 0 }));
const [refused] = (await once(stranger, "response")) as [IncomingMessage];
refused.resume();
const handled = await (await fetch(`${url}/handled`)).text();
console.log(`handled ${handled}, a stranger got ${refused.statusCode}`);
await runtime.stop();
rmSync(root, { recursive: true, force: true });
