import { setTimeout as sleep } from "node:timers/promises";
import { BenchAccount } from "../bench-account.ts";
import type { House } from "../house/house.ts";
import type { Figure } from "../statistics.ts";
import { ownerSql } from "./owner-sql.ts";

const ROWS = 20_000;
const LOOK_EVERY_MS = 50;
const GIVE_UP_MS = 180_000;

/** With the database gone, conversations go on; how fast is everything there once it is back? */
export async function measureDrain(house: House): Promise<Figure[]> {
  return [...(await drainOf(house, 1)), ...(await drainOf(house, 20))];
}

async function drainOf(house: House, conversations: number): Promise<Figure[]> {
  const account = await BenchAccount.signUp(house.url);
  const made = [];
  for (let index = 0; index < conversations; index++) made.push(await account.createConversation());
  await house.stopDatabase();
  for (const conversation of made) await account.seed(conversation, ROWS / conversations);
  await sleep(2_000);
  const sql = ownerSql(house.database);
  const ids = made.map(({ id }) => id);
  await house.startDatabase();
  const backAt = performance.now();
  let firstMs = Number.NaN;
  let rows = 0;
  while (rows < ROWS) {
    const [counted] = await sql`select count(*)::int as n from conversation_events where conversation_id = any(${ids})`;
    rows = Number(counted?.n);
    if (rows > 0 && Number.isNaN(firstMs)) firstMs = performance.now() - backAt;
    if (performance.now() - backAt > GIVE_UP_MS)
      throw new Error(`After ${GIVE_UP_MS / 1000} s only ${rows} of ${ROWS} rows are in Postgres.`);
    await sleep(LOOK_EVERY_MS);
  }
  const allMs = performance.now() - backAt;
  const from = conversations === 1 ? "one conversation" : `${conversations} conversations`;
  return [
    {
      what: `drain of ${ROWS} rows of ${from} after an outage`,
      value: (ROWS / allMs) * 1000,
      unit: "rows/s",
      atLeast: 2000,
    },
    { what: `first row of ${from} after the database is back`, value: firstMs, unit: "ms" },
    {
      what: `rate of ${from} from the first row to the last`,
      value: (ROWS / (allMs - firstMs)) * 1000,
      unit: "rows/s",
    },
  ];
}
