import { randomUUID } from "node:crypto";
import type { FakeModelServer } from "../../shared/testing/providers/fake-model-server.ts";
import { BenchAccount } from "../bench-account.ts";
import type { House } from "../house/house.ts";
import { LiveClient } from "../live-client.ts";
import { type Figure, percentile } from "../statistics.ts";
import { tokenDelays } from "../token-delays.ts";
import { connectVendor } from "./connect.ts";

const ROUNDS = 6;
const TOKENS = 1_000;
/** A fast model writes 120 tokens a second. */
const DELAY_MS = 8;

/** What came of an answer: its length after each piece, and when that piece came. */
class Arrivals {
  readonly received: number[] = [];
  readonly atMs: number[] = [];

  add(characters: number, atMs: number): void {
    if (characters === 0) return;
    this.received.push((this.received.at(-1) ?? 0) + characters);
    this.atMs.push(atMs);
  }
}

async function askDirectly(models: FakeModelServer): Promise<Arrivals> {
  const arrivals = new Arrivals();
  const response = await fetch(`${models.url}/v1/messages`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-api-key": "sk-bench" },
    body: JSON.stringify({ model: "claude-sonnet-4-6", stream: true, messages: [{ role: "user", content: "Hello" }] }),
  });
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const now = performance.now();
    for (const [, text = ""] of chunk.matchAll(/"text_delta","text":"([^"]*)"/g)) arrivals.add(text.length, now);
  }
  return arrivals;
}

async function askThrough(client: LiveClient): Promise<Arrivals> {
  const arrivals = new Arrivals();
  await client.exchange({ type: "message:send", id: randomUUID(), text: "Tell me a story." }, (frame) => {
    if (frame.type === "message:delta") arrivals.add(frame.text?.length ?? 0, performance.now());
    // An answer that failed is not whole, which the delays will tell.
    return frame.event?.type === "turn:completed" || frame.event?.type === "turn:failed";
  });
  return arrivals;
}

/**
 * From the vendor's write of a token to its arrival at a client's socket, against the same straight from the vendor, in
 * turns. Vendor, client and the direct reader are one process, so that there is one clock.
 */
export async function measureTokenTime({ url, models }: House): Promise<Figure[]> {
  const account = await BenchAccount.signUp(url);
  await connectVendor(account, "Vendor", models.url);
  const client = await LiveClient.attach(account, (await account.createConversation()).id);
  await client.hello();
  const delaysOf = async (ask: () => Promise<Arrivals>): Promise<number[]> => {
    const written: number[] = [];
    models.always({ tokens: TOKENS, delayMs: DELAY_MS, onToken: () => void written.push(performance.now()) });
    return tokenDelays(await ask(), written);
  };
  const ways = { direct: () => askDirectly(models), through: () => askThrough(client) };
  const delays = { direct: [] as number[], through: [] as number[] };
  for (let round = 0; round <= ROUNDS; round++) {
    for (const way of ["direct", "through"] as const) {
      const taken = await delaysOf(ways[way]);
      // The first answers warm up.
      if (round > 0) delays[way].push(...taken);
    }
  }
  client.terminate();
  return figuresOf(delays);
}

function figuresOf(delays: { direct: readonly number[]; through: readonly number[] }): Figure[] {
  const added = (share: number): number => percentile(delays.through, share) - percentile(delays.direct, share);
  const at = (way: keyof typeof delays, share: number): number => percentile(delays[way], share);
  return [
    { what: "a token's way straight from the vendor, p50", value: at("direct", 0.5), unit: "ms" },
    { what: "a token's way straight from the vendor, p99", value: at("direct", 0.99), unit: "ms" },
    { what: "a token's way through Mosaic, p50", value: at("through", 0.5), unit: "ms" },
    { what: "a token's way through Mosaic, p99", value: at("through", 0.99), unit: "ms" },
    { what: `added to each of ${delays.through.length} tokens, p50`, value: added(0.5), unit: "ms", atMost: 0.5 },
    { what: `added to each of ${delays.through.length} tokens, p99`, value: added(0.99), unit: "ms", atMost: 5 },
  ];
}
