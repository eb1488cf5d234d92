import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { House } from "../house/house.ts";
import { LiveClient } from "../live-client.ts";
import { type Figure, percentile } from "../statistics.ts";

const WARM_UP = 50;
const ROUNDS = 300;
/** A person reads before the next question; whatever the message before set in motion is over by then. */
const PAUSE_MS = 120;

/** Send to ack, in turns: a message to a conversation, and a row to an object that does nothing else. */
export async function measureAck({ url, models }: House): Promise<Figure[]> {
  models.always({ reply: "Hello there, this is a short answer." });
  const ours = await LiveClient.open(url);
  const bare = await LiveClient.connect(`${url.replace("http", "ws")}/api/bench/bare/ack`, undefined, {});
  const askBare = (): Promise<number> => {
    const id = randomUUID();
    return bare.exchange({ type: "message:send", id, text: "Hello" }, (frame) => frame.id === id);
  };
  for (let round = 0; round < WARM_UP; round++) {
    await ours.ask("Hello");
    await askBare();
  }
  const samples = { ours: [] as number[], bare: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    samples.ours.push((await ours.ask("Hello")).ackMs);
    await sleep(PAUSE_MS);
    samples.bare.push(await askBare());
    await sleep(PAUSE_MS);
  }
  ours.terminate();
  bare.terminate();
  const at = (what: keyof typeof samples, share: number): number => percentile(samples[what], share);
  const figures = ([0.1, 0.5, 0.9, 0.99] as const).flatMap((share): Figure[] => [
    { what: `send to ack, p${share * 100}`, value: at("ours", share), unit: "ms" },
    { what: `send to ack of the bare object, p${share * 100}`, value: at("bare", share), unit: "ms" },
  ]);
  const ratio = at("ours", 0.5) / at("bare", 0.5);
  return [...figures, { what: "send to ack against the bare object, p50", value: ratio, unit: "x", atMost: 1.5 }];
}
