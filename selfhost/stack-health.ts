import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { StartProblem } from "./start-problem.ts";

const Health = z.object({
  checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string().nullish() })),
});

const READY_WITHIN_MS = 30_000;
const WATCH = { everyMs: 5_000, answerWithinMs: 10_000, failures: 4 };

/** Where the stack reaches itself: the address of all interfaces is none to connect to. */
function addressOf(host: string, port: number): string {
  const reachable = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `http://${reachable.includes(":") ? `[${reachable}]` : reachable}:${port}`;
}

/** @throws StartProblem with what `/health/ready` complains of, when it does so for too long. */
export async function waitUntilReady(host: string, port: number): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  let complaint = "it did not answer";
  while (Date.now() < deadline) {
    try {
      const response = await fetch(`${addressOf(host, port)}/health/ready`, { signal: AbortSignal.timeout(5_000) });
      if (response.ok) return void (await response.body?.cancel());
      complaint = complaintOf(response.status, await response.text());
    } catch (error) {
      complaint = error instanceof Error ? error.message : String(error);
    }
    await sleep(50);
  }
  throw new StartProblem(`Mosaic started but is not ready after ${READY_WITHIN_MS / 1000} s: ${complaint}.`);
}

function complaintOf(status: number, body: string): string {
  try {
    const failed = Health.parse(JSON.parse(body)).checks.filter((check) => !check.ok);
    if (failed.length > 0) return failed.map(({ name, detail }) => `${name}${detail ? `: ${detail}` : ""}`).join("; ");
  } catch {
    // Not our health report; the status says what there is to say.
  }
  return `/health/ready answers ${status}`;
}

/** Miniflare restarts a dead workerd itself; this notices when that failed, or when it hangs. @returns how to stop. */
export function watchHealth(host: string, port: number, onDead: (problem: string) => void): () => void {
  let failures = 0;
  const timer = setInterval(async () => {
    try {
      const response = await fetch(`${addressOf(host, port)}/health/live`, {
        signal: AbortSignal.timeout(WATCH.answerWithinMs),
      });
      await response.body?.cancel();
      failures = 0;
    } catch {
      failures += 1;
      if (failures === WATCH.failures)
        onDead(
          "The Workers runtime does not answer any more and could not be started again, so Mosaic stops. Start it again.",
        );
    }
  }, WATCH.everyMs);
  return () => clearInterval(timer);
}
