import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BenchAccount } from "../bench-account.ts";
import type { House } from "../house/house.ts";
import { LiveClient } from "../live-client.ts";
import { type Figure, percentile } from "../statistics.ts";
import { tokenDelays } from "../token-delays.ts";
import { CrowdReport, type CrowdRequest, sharedNowMs } from "./socket-crowd.ts";

const SOCKETS = 200;
const TOKENS = 1_000;
const DELAY_MS = 12;
/** What may pass between two deltas of a merged stream; more than two of them is a gap that a reader could notice. */
const MERGED_MS = 16;

/** One answer streamed to 200 sockets: from the vendor's write of a token to its arrival at each of them. */
export async function measureFanOut({ url, models }: House): Promise<Figure[]> {
  const account = await BenchAccount.signUp(url);
  const { id } = await account.createConversation();
  const client = await LiveClient.attach(account, id);
  await client.hello();
  models.always({ reply: "A first answer, so that nothing is done for the first time." });
  await client.ask("Hello");
  const crowd = fork(join(import.meta.dirname, "socket-crowd.ts"), { serialization: "advanced" });
  const request: CrowdRequest = {
    address: account.socketAddress(id),
    headers: account.authorization,
    sockets: SOCKETS,
  };
  crowd.send(request);
  await once(crowd, "message");
  const written: number[] = [];
  models.always({ tokens: TOKENS, delayMs: DELAY_MS, onToken: () => void written.push(sharedNowMs()) });
  await client.ask("Tell me a story.");
  await sleep(1_000);
  crowd.send("report");
  const [report] = await once(crowd, "message");
  crowd.disconnect();
  client.terminate();
  const { delays, gaps } = delaysOf(CrowdReport.parse(report), written);
  const seconds = ((written.at(-1) ?? 0) - (written[0] ?? 0)) / 1000;
  const sockets = `${SOCKETS} sockets`;
  return [
    { what: `tokens of the stream to ${sockets}`, value: TOKENS / seconds, unit: "tokens/s" },
    { what: `a token's way to each of ${sockets}, p50`, value: percentile(delays, 0.5), unit: "ms" },
    { what: `a token's way to each of ${sockets}, p99`, value: percentile(delays, 0.99), unit: "ms", atMost: 50 },
    { what: "time between two deltas at a socket, p50", value: percentile(gaps, 0.5), unit: "ms" },
    { what: "tokens merged into one delta, on average", value: TOKENS / (gaps.length / SOCKETS + 1), unit: "times" },
    {
      what: `deltas that came later than ${2 * MERGED_MS} ms after the one before, of all`,
      value: gaps.filter((gap) => gap > 2 * MERGED_MS).length / gaps.length,
      unit: "x",
    },
  ];
}

function delaysOf(report: CrowdReport, written: readonly number[]): { delays: number[]; gaps: number[] } {
  const gaps: number[] = [];
  for (const { atMs } of report) {
    for (let index = 1; index < atMs.length; index++) gaps.push((atMs[index] ?? 0) - (atMs[index - 1] ?? 0));
  }
  return { delays: report.flatMap((socket) => tokenDelays(socket, written)), gaps };
}
