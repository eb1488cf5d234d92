import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { BenchAccount } from "../bench-account.ts";
import { type House, startHouse } from "../house/house.ts";
import { LiveClient } from "../live-client.ts";
import type { Figure } from "../statistics.ts";

const CONVERSATIONS = 1_000;
/** So few objects do the same work as often before: what code and buffers take is there when the first look is taken. */
const WARM_UP_OBJECTS = 10;
/** Longer than the alarm that stands behind a write, and the ten seconds until workerd puts an idle object to sleep. */
const SETTLE_MS = 50_000;
const IDLE_MS = 60_000;

type Open = (index: number) => Promise<LiveClient>;

/** 1,000 idle conversations, each with a socket, against as many bare objects that sleep: memory and wakefulness. */
export async function measureIdle(): Promise<Figure[]> {
  const ours = await weigh(async ({ url }) => {
    const account = await BenchAccount.signUp(url);
    const ids = new Map<number, string>();
    return async (index) => {
      const id = ids.get(index) ?? (await account.createConversation()).id;
      ids.set(index, id);
      const client = await LiveClient.attach(account, id);
      await client.hello();
      await client.ask("Hello");
      return client;
    };
  });
  const bare = await weigh(async ({ url }) => async (index) => {
    const address = `${url.replace("http", "ws")}/api/bench/bare/idle-${index}`;
    const client = await LiveClient.connect(address, undefined, {});
    const row = randomUUID();
    await client.exchange({ id: row, text: "Hello" }, ({ id }) => id === row);
    return client;
  });
  const of = `${CONVERSATIONS} idle conversations`;
  return [
    { what: `memory for each of ${of}`, value: ours.kibEach, unit: "KiB" },
    { what: "memory for each of as many bare objects", value: bare.kibEach, unit: "KiB" },
    { what: "memory against the bare objects", value: ours.kibEach / bare.kibEach, unit: "x", atMost: 1.15 },
    { what: `objects woken in an idle minute of ${of}`, value: ours.woken, unit: "times", atMost: 0 },
    { what: "their alarms in that minute", value: ours.alarms, unit: "times", atMost: 0 },
    { what: "processor time of workerd in that minute", value: ours.ticks, unit: "ticks" },
    { what: "the same with bare objects", value: bare.ticks, unit: "ticks" },
  ];
}

interface Weight {
  kibEach: number;
  /** In an idle minute: objects made anew, alarms, hundredths of a second of processor time. */
  woken: number;
  alarms: number;
  ticks: number;
}

async function weigh(prepare: (house: House) => Promise<Open>): Promise<Weight> {
  const house = await startHouse();
  try {
    house.models.always({ reply: "Hello there." });
    const open = await prepare(house);
    for (let round = 0; round < CONVERSATIONS / WARM_UP_OBJECTS; round++) {
      for (let index = 0; index < WARM_UP_OBJECTS; index++) (await open(-1 - index)).terminate();
    }
    await sleep(SETTLE_MS);
    const before = await settledKib(house);
    const clients: LiveClient[] = [];
    for (let index = 0; index < CONVERSATIONS; index++) clients.push(await open(index));
    await sleep(SETTLE_MS);
    const after = await settledKib(house);
    const [countsBefore, ticksBefore] = [await house.counts(), ticksOf(house.workerdPid)];
    await sleep(IDLE_MS);
    const [countsAfter, ticksAfter] = [await house.counts(), ticksOf(house.workerdPid)];
    for (const client of clients) client.terminate();
    return {
      kibEach: (after - before) / CONVERSATIONS,
      woken: countsAfter.constructed - countsBefore.constructed,
      alarms: countsAfter.alarms - countsBefore.alarms,
      ticks: ticksAfter - ticksBefore,
    };
  } finally {
    await house.stop();
  }
}

/** What workerd holds once its garbage is gone. */
async function settledKib(house: House): Promise<number> {
  for (let round = 0; round < 3; round++) {
    await house.collectGarbage();
    await sleep(1_000);
  }
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${house.workerdPid}/status`, "utf8"))?.[1] ?? 0);
}

/** User and system time so far, in hundredths of a second. */
function ticksOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}
