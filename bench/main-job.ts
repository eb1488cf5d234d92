/**
 * `npm run bench:main-job`: the main job on this machine, against a scripted vendor: how long until the ack, how much
 * later the first token comes than from the vendor itself (both in turns, in one run), and what the stack weighs idle.
 */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { startStack } from "../shared/testing/node/stack.ts";
import { startFakeModelServer } from "../shared/testing/providers/fake-model-server.ts";
import { LiveClient } from "./live-client.ts";
import { percentile, printFigures } from "./statistics.ts";

const WARM_UP = 20;
const ROUNDS = 200;
const IDLE_MS = 15_000;
/** A person reads before the next question; the write-behind of the last one is over by then. */
const PAUSE_MS = 150;

/** Milliseconds to the first text delta from the vendor, asked directly. */
async function firstTokenDirect(url: string): Promise<number> {
  const sentAt = performance.now();
  const body = {
    model: "claude-sonnet-4-6",
    max_tokens: 1000,
    stream: true,
    messages: [{ role: "user", content: "Hello" }],
  };
  const headers = { "content-type": "application/json", "x-api-key": "k", "anthropic-version": "2023-06-01" };
  const response = await fetch(`${url}/v1/messages`, { method: "POST", headers, body: JSON.stringify(body) });
  let seen = "";
  let firstMs = Number.NaN;
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    seen += decoder.decode(chunk, { stream: true });
    if (Number.isNaN(firstMs) && seen.includes("text_delta")) firstMs = performance.now() - sentAt;
  }
  return firstMs;
}

const residentMb = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;

const models = await startFakeModelServer({ reply: "Hello there, this is a short answer.", delayMs: 2 });
const stack = await startStack({ env: { ANTHROPIC_BASE_URL: models.url, ANTHROPIC_API_KEY: "bench" } });
try {
  const client = await LiveClient.open(stack.url);
  for (let round = 0; round < WARM_UP; round++) {
    await firstTokenDirect(models.url);
    await client.ask("Hello");
  }
  const direct: number[] = [];
  const acks: number[] = [];
  const firsts: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    direct.push(await firstTokenDirect(models.url));
    const { ackMs, firstTokenMs } = await client.ask("Hello");
    acks.push(ackMs);
    firsts.push(firstTokenMs);
    await sleep(PAUSE_MS);
  }
  client.close();
  await sleep(IDLE_MS);
  const weights = Object.entries(stack.pids()).map(([name, pid]) => ({ name, mb: residentMb(pid) }));
  printFigures([
    { what: "send to ack, p50", value: percentile(acks, 0.5), unit: "ms", atMost: 5 },
    { what: "send to ack, p99", value: percentile(acks, 0.99), unit: "ms" },
    { what: "first token from the vendor directly, p50", value: percentile(direct, 0.5), unit: "ms" },
    { what: "first token through Mosaic, p50", value: percentile(firsts, 0.5), unit: "ms" },
    {
      what: "first token added, p50",
      value: percentile(firsts, 0.5) - percentile(direct, 0.5),
      unit: "ms",
      atMost: 10,
    },
    ...weights.map(({ name, mb }) => ({ what: `idle memory (RSS) of ${name}`, value: mb, unit: "MB" as const })),
    {
      what: "idle memory (RSS), whole stack",
      value: weights.reduce((sum, { mb }) => sum + mb, 0),
      unit: "MB",
      atMost: 700,
    },
  ]);
} finally {
  await stack.stop();
  await models.close();
}
