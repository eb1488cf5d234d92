import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { v7 as newId } from "uuid";
import { beforeAll, describe, expect, it } from "vitest";
import type { Principal } from "../shared/domain/access/principal.ts";
import { unwrap } from "../shared/domain/app-error.ts";
import { handClock } from "../shared/testing/hand-clock.ts";
import { aConversation, modelBehaves } from "../shared/testing/worker/conversations.ts";
import { aPerson, aWorkspace } from "../shared/testing/worker/people.ts";
import { openSocket } from "../shared/testing/worker/test-socket.ts";
import { AlarmScheduler } from "./alarm-scheduler.ts";
import { type Bindings, conversationObject } from "./stubs.ts";

const bindings = env as unknown as Bindings;
const open = (id: string) => conversationObject(bindings, id);
const stub = (id: string) => bindings.CONVERSATION.get(bindings.CONVERSATION.idFromName(id));
const FAR = Date.now() + 3_600_000;

let owner: Principal;
beforeAll(async () => {
  owner = await aPerson({ id: await aWorkspace(), role: "owner" });
});

/** A scheduler over the storage of a real object, on a clock that stands until it is moved. */
async function inAnObject(
  run: (parts: {
    alarms: AlarmScheduler;
    clock: ReturnType<typeof handClock>;
    needed: Set<string>;
    writes: (number | null)[];
    state: DurableObjectState;
  }) => Promise<void>,
): Promise<void> {
  const { id } = await aConversation(owner, open);
  await runInDurableObject(stub(id), async (_instance, state) => {
    const clock = handClock();
    const needed = new Set<string>();
    const writes: (number | null)[] = [];
    const storage = {
      sql: state.storage.sql,
      setAlarm: async (at: number) => void writes.push(at),
      deleteAlarm: async () => void writes.push(null),
    } as unknown as DurableObjectStorage;
    const alarms = new AlarmScheduler({
      storage,
      background: () => {},
      timers: clock,
      now: () => clock.now(),
      isNeeded: (name) => needed.has(name),
      exists: () => true,
    });
    state.storage.sql.exec("delete from alarms");
    await run({ alarms, clock, needed, writes, state });
    state.storage.sql.exec("delete from alarms");
  });
}

describe("the alarms of an object", () => {
  it("are set once for many messages", () =>
    inAnObject(async ({ alarms, clock, writes }) => {
      for (let i = 0; i < 50; i++) {
        alarms.schedule("outbox", FAR + clock.now());
        clock.forward(100);
      }
      expect(writes).toEqual([FAR]);
    }));

  it("hand out every due name once and keep the rest armed", () =>
    inAnObject(async ({ alarms, writes }) => {
      alarms.schedule("later", FAR + 2);
      alarms.schedule("a", FAR);
      alarms.schedule("b", FAR + 1);
      expect(alarms.takeDue(FAR + 1)).toEqual(["a", "b"]);
      expect(alarms.takeDue(FAR + 1)).toEqual([]);
      expect(writes.at(-1)).toBe(FAR + 2);
    }));

  it("come again when their work failed, also where the storage does not take them back at first", () =>
    inAnObject(async ({ alarms, clock, needed, state }) => {
      const names = () => state.storage.sql.exec("select name from alarms").toArray();
      needed.add("outbox");
      alarms.schedule("outbox", 0);
      clock.forward(5_000);
      expect(alarms.takeDue(clock.now())).toEqual(["outbox"]);
      alarms.retry("outbox");
      state.storage.sql.exec("alter table alarms rename to gone");
      clock.forward(30_000);
      state.storage.sql.exec("alter table gone rename to alarms");
      expect(names()).toEqual([]);
      clock.forward(30_000);
      expect(names()).toEqual([{ name: "outbox" }]);
      expect(alarms.takeDue(clock.now())).toEqual(["outbox"]);
    }));

  it("are taken back when the object is quiet and nobody needs them", () =>
    inAnObject(async ({ alarms, clock, needed, writes, state }) => {
      alarms.schedule("outbox", FAR);
      alarms.schedule("watchdog", FAR + 1);
      needed.add("watchdog");
      clock.forward(5_000);
      expect(writes).toEqual([FAR, FAR + 1]);
      alarms.schedule("outbox", FAR);
      needed.clear();
      clock.forward(5_000);
      expect(writes).toEqual([FAR, FAR + 1, FAR, null]);
      expect(state.storage.sql.exec("select name from alarms").toArray()).toEqual([]);
      alarms.schedule("outbox", FAR + 9);
      expect(writes.at(-1)).toBe(FAR + 9);
    }));

  it("leave no timer behind while the work waits for its alarm", () =>
    inAnObject(async ({ alarms, clock, needed, writes }) => {
      needed.add("outbox");
      alarms.schedule("outbox", FAR);
      clock.forward(5_000);
      needed.clear();
      clock.forward(3_000_000);
      expect(writes).toEqual([FAR]);
    }));
});

it("a conversation that went quiet is kept awake and woken by nothing", async () => {
  await modelBehaves({ reply: "Good night." });
  const { id, object } = await aConversation(owner, open);
  const socket = await openSocket(object, owner);
  socket.hello(0);
  unwrap(await object.send(owner, { id: newId(), text: "Good night", whenBusy: "queue" }, "api"));
  await socket.event("turn:completed");
  const nextAlarm = () => runInDurableObject(stub(id), (_instance, state) => state.storage.getAlarm());
  expect(await nextAlarm()).not.toBeNull();
  // It can be evicted once no timer is left and nothing is waited for.
  const quietSince = Date.now();
  await evictDurableObject(stub(id));
  expect(Date.now() - quietSince).toBeLessThan(8_000);
  expect(await nextAlarm()).toBeNull();
}, 20_000);
