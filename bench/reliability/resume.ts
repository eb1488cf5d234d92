import { setTimeout as sleep } from "node:timers/promises";
import { BenchAccount } from "../bench-account.ts";
import type { House } from "../house/house.ts";
import { LiveClient } from "../live-client.ts";
import { type Figure, percentile } from "../statistics.ts";

const WARM_UP = 20;
const ROUNDS = 200;
const MISSED = 50;
const SIZES = { small: 100, large: 10_000 };

/** A client that missed 50 events comes back: from its hello to the last of them, in a small and in a large conversation. */
export async function measureResume({ url }: House): Promise<Figure[]> {
  const account = await BenchAccount.signUp(url);
  const [small, large] = [await account.createConversation(), await account.createConversation()];
  await account.seed(small, SIZES.small);
  await account.seed(large, SIZES.large);
  // Their way to Postgres is another measurement.
  await sleep(15_000);
  const samples = { small: [] as number[], large: [] as number[] };
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    const times = {
      small: await resume(account, small.id, SIZES.small),
      large: await resume(account, large.id, SIZES.large),
    };
    if (round < WARM_UP) continue;
    samples.small.push(times.small);
    samples.large.push(times.large);
  }
  const [smallMs, largeMs] = [percentile(samples.small, 0.5), percentile(samples.large, 0.5)];
  const of = (messages: number): string => `resume with ${MISSED} missed events of ${messages} messages`;
  return [
    { what: `${of(SIZES.small)}, p50`, value: smallMs, unit: "ms" },
    { what: `${of(SIZES.large)}, p50`, value: largeMs, unit: "ms", atMost: 10 },
    { what: `${of(SIZES.large)}, p99`, value: percentile(samples.large, 0.99), unit: "ms" },
    { what: "resume in the large against the small one, p50", value: largeMs / smallMs, unit: "x", atMost: 1.2 },
  ];
}

async function resume(account: BenchAccount, conversationId: string, lastSeq: number): Promise<number> {
  const client = await LiveClient.attach(account, conversationId);
  const elapsedMs = await client.hello(lastSeq - MISSED, ({ type, seq }) => type === "event" && seq === lastSeq);
  client.terminate();
  await sleep(5);
  return elapsedMs;
}
