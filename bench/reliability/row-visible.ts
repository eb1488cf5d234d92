import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { House } from "../house/house.ts";
import { LiveClient } from "../live-client.ts";
import { type Figure, percentile } from "../statistics.ts";
import { ownerSql } from "./owner-sql.ts";

const ROUNDS = 200;
const POLL_EVERY_MS = 5;

/** From the ack of a message until a reader of Postgres sees its row. */
export async function measureRowVisible({ url, models, database }: House): Promise<Figure[]> {
  models.always({ reply: "Hello there, this is a short answer." });
  const sql = ownerSql(database);
  const client = await LiveClient.open(url);
  const isThere = async (id: string): Promise<boolean> =>
    (await sql`select 1 from messages where id = ${id}`).length > 0;
  const visible: number[] = [];
  const polls: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const id = randomUUID();
    const isAck = (frame: { type: string; id?: string }): boolean => frame.type === "ack" && frame.id === id;
    await client.exchange({ type: "message:send", id, text: "Hello" }, isAck);
    const ackedAt = performance.now();
    let askedAt = ackedAt;
    while (!(await isThere(id))) {
      polls.push(performance.now() - askedAt + POLL_EVERY_MS);
      await sleep(POLL_EVERY_MS);
      askedAt = performance.now();
    }
    visible.push(performance.now() - ackedAt);
    await sleep(100);
  }
  client.terminate();
  return [
    { what: "row visible in Postgres after the ack, p50", value: percentile(visible, 0.5), unit: "ms", atMost: 250 },
    { what: "row visible in Postgres after the ack, p99", value: percentile(visible, 0.99), unit: "ms", atMost: 1000 },
    { what: "resolution of that look, p50", value: percentile(polls, 0.5), unit: "ms" },
  ];
}
