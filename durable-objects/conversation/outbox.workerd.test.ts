import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { v7 as newId } from "uuid";
import { describe, expect, it } from "vitest";
import type { Conversation } from "../../shared/contract/conversation.ts";
import type { DrainOutcome, EventBatch, EventSink, Scope } from "../../shared/ports/conversation-store.ts";
import type { ReportedJob } from "../../shared/ports/job-store.ts";
import { aMessage } from "../../shared/testing/builders.ts";
import type { Bindings } from "../stubs.ts";
import { Journal } from "./journal.ts";
import { OUTBOX_ALARM, Outbox, type OutboxDeps } from "./outbox.ts";

const bindings = env as unknown as Bindings;
const START_MS = Date.parse("2026-11-21T12:00:00.000Z");
const ok: DrainOutcome = { ok: true };
const away: DrainOutcome = { ok: false, retry: true, message: "it cannot be reached" };
const orphaned: DrainOutcome = { ...away, orphaned: true };
const refused: DrainOutcome = { ok: false, retry: false, message: "it holds what Postgres cannot store" };

type Sink = (batch: EventBatch, scope: Scope) => DrainOutcome | Promise<DrainOutcome>;

/** A conversation's log and outbox over real storage; time and Postgres are the test's. */
function house(state: DurableObjectState, sink: Sink, more: Partial<OutboxDeps> = {}) {
  let nowMs = START_MS;
  let timers: { atMs: number; run: () => void }[] = [];
  const batches: { scope: Scope; seqs: number[]; current: EventBatch["current"] }[] = [];
  const reports: ReportedJob[][] = [];
  const told: string[] = [];
  const journal = new Journal(state.storage, { now: () => new Date(nowMs), newId: () => crypto.randomUUID() });
  const conversation: Conversation = {
    id: newId(),
    workspaceId: newId(),
    ownerUserId: newId(),
    visibility: "private",
    title: "A talk",
    model: null,
    agentId: null,
    personalityId: null,
    headId: null,
    forkedFrom: null,
    version: 1,
    createdAt: new Date(START_MS).toISOString(),
    updatedAt: new Date(START_MS).toISOString(),
  };
  if (!journal.conversation) journal.birth(conversation);
  let alarm: number | null = null;
  const alarms = {
    schedule: (name: string, atMs: number) => {
      expect(name).toBe(OUTBOX_ALARM);
      alarm = Math.min(alarm ?? Number.POSITIVE_INFINITY, atMs);
    },
    fire: () => {
      alarm = null;
    },
  };
  const events: EventSink = {
    drain: async (scope, batch) => {
      batches.push({ scope, seqs: batch.events.map(({ seq }) => seq), current: batch.current });
      return await sink(batch, scope);
    },
  };
  const make = (): Outbox =>
    new Outbox({
      journal,
      sql: state.storage.sql,
      alarms,
      timers: {
        after: (ms, run) => {
          const timer = { atMs: nowMs + ms, run };
          timers.push(timer);
          return {
            cancel: () => {
              timers = timers.filter((each) => each !== timer);
            },
          };
        },
      },
      background: (work) => void work,
      sink: events,
      jobs: { report: async (_scope, _id, jobs) => reports.push([...jobs]) > 0 },
      now: () => nowMs,
      random: () => 0.5,
      newId,
      onStorageChange: () => told.push(outbox.storage),
      ...more,
    });
  const outbox = make();
  const say = (...texts: string[]): void => {
    journal.transact(() => {
      for (const text of texts) {
        const seq = journal.lastSeq + 1;
        journal.append({ type: "message:added", message: aMessage({ id: newId(), seq, updatedSeq: seq, text }) });
      }
    });
    outbox.wake();
  };
  const pass = async (ms: number): Promise<void> => {
    const until = nowMs + ms;
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      const [next] = timers.toSorted((a, b) => a.atMs - b.atMs);
      if (!next || next.atMs > until) break;
      timers = timers.filter((each) => each !== next);
      nowMs = next.atMs;
      next.run();
    }
    nowMs = until;
  };
  const alarmAt = (): number | null => (alarm === null ? null : alarm - START_MS);
  const now = () => nowMs - START_MS;
  return {
    journal,
    outbox,
    make,
    alarms,
    say,
    pass,
    alarmAt,
    batches,
    reports,
    told,
    now,
    pending: () => timers.length,
  };
}

/** Runs in an object of its own, which is left empty again. */
async function within(test: (state: DurableObjectState) => Promise<void>): Promise<void> {
  const stub = bindings.CONVERSATION.get(bindings.CONVERSATION.idFromName(newId()));
  await runInDurableObject(stub, async (_instance, state) => {
    await test(state);
    await state.storage.deleteAlarm();
    await state.storage.deleteAll();
  });
}

const never = () => new Promise<DrainOutcome>(() => {});

describe("the outbox", () => {
  it("brings the events of one instant in one request, moves on after the yes, and waits for nothing then", () =>
    within(async (state) => {
      const { journal, say, pass, batches, outbox, told, pending } = house(state, () => ok);
      say("one", "two");
      say("three");
      expect(journal.drainedSeq).toBe(0);
      await pass(60);
      expect(batches.map(({ seqs }) => seqs)).toEqual([[1, 2, 3]]);
      expect([journal.drainedSeq, outbox.storage, told, pending()]).toEqual([3, "synced", [], 0]);
    }));

  it("arms one alarm for many messages, and lets it run out instead of arming it anew", () =>
    within(async (state) => {
      const { say, pass, alarmAt, alarms, batches } = house(state, () => ok);
      say("one");
      await pass(5_000);
      say("two");
      await pass(5_000);
      expect(alarmAt()).toBe(30_000);
      alarms.fire();
      expect([alarmAt(), batches.length]).toEqual([null, 2]);
    }));

  it("has an alarm behind it also when one fires while a request is under way", () =>
    within(async (state) => {
      const { say, pass, alarmAt, alarms, outbox } = house(state, never);
      say("one");
      await pass(60);
      alarms.fire();
      void outbox.drain();
      expect(alarmAt()).not.toBeNull();
    }));

  it("asks ever more slowly also where the asking itself breaks", () =>
    within(async (state) => {
      const { say, pass, batches, outbox } = house(state, () => {
        throw new Error("broken");
      });
      say("one");
      await pass(5_000);
      expect([batches.length, outbox.storage]).toEqual([1, "offline"]);
    }));

  it("says offline after a failure, comes back by alarm, later each time, and says synced once everything is there", () =>
    within(async (state) => {
      let answer: DrainOutcome = away;
      const { journal, outbox, say, pass, alarmAt, alarms, told, now, batches } = house(state, () => answer);
      say("one");
      await pass(100);
      expect(told).toEqual(["offline"]);
      const waits: number[] = [];
      for (let tries = 0; tries < 7; tries++) {
        const at = alarmAt() ?? Number.NaN;
        waits.push(at - now());
        await pass(at - now());
        if (tries === 6) answer = ok;
        else say("more while it is away");
        alarms.fire();
        await outbox.drain();
      }
      expect(waits.map((ms) => Math.round(ms / 500) * 500)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
      expect([told, journal.drainedSeq]).toEqual([["offline", "synced"], 7]);
      expect(batches.at(-1)?.seqs).toEqual([1, 2, 3, 4, 5, 6, 7]);
    }));

  it("comes back with a small request, and with full ones once that worked", () =>
    within(async (state) => {
      let answer: DrainOutcome = away;
      const { journal, outbox, say, pass, batches } = house(state, () => answer);
      say(...Array.from({ length: 2_000 }, (_each, index) => `message ${index}`));
      await pass(100);
      answer = ok;
      await outbox.drain();
      expect(batches.map(({ seqs }) => seqs.length)).toEqual([1_000, 50, 200, 800, 950]);
      expect(journal.drainedSeq).toBe(2_000);
    }));

  it("holds at most about a million characters of a batch in memory, and takes a longer event alone", () =>
    within(async (state) => {
      const { journal, say, pass, batches } = house(state, () => ok);
      say("x".repeat(600_000), "y".repeat(600_000), "z", "w".repeat(1_500_000), "v");
      await pass(100);
      expect(batches.map(({ seqs }) => seqs)).toEqual([[1, 2], [3, 4], [5]]);
      expect(journal.drainedSeq).toBe(5);
    }));

  it("says behind within about two seconds of a database that hangs, and offline once it gives up waiting", () =>
    within(async (state) => {
      let answer: Sink = never;
      const { outbox, say, pass, told, alarms } = house(state, (batch, scope) => answer(batch, scope));
      say("one");
      await pass(1_900);
      expect([outbox.storage, told]).toEqual(["synced", []]);
      await pass(300);
      expect([outbox.storage, told]).toEqual(["behind", ["behind"]]);
      await pass(8_500);
      expect(told).toEqual(["behind", "offline"]);
      answer = () => ok;
      alarms.fire();
      await outbox.drain();
      expect(told).toEqual(["behind", "offline", "synced"]);
    }));

  it("also notices a database that begins to hang in the middle of many events", () =>
    within(async (state) => {
      let hangs = false;
      const { say, pass, told } = house(state, () => (hangs ? never() : ok));
      for (let round = 0; round < 10; round++) {
        say("again");
        await pass(300);
      }
      hangs = true;
      say("and now");
      await pass(2_500);
      expect(told).toEqual(["behind"]);
    }));

  it("is full at a bound, and takes messages again once it has drained", () =>
    within(async (state) => {
      let answer: DrainOutcome = away;
      const { outbox, say, pass } = house(state, () => answer, { limits: { events: 3, characters: 1e9 } });
      say("one", "two");
      await pass(100);
      expect(outbox.isFull).toBe(false);
      say("three");
      expect(outbox.isFull).toBe(true);
      answer = ok;
      await outbox.drain();
      expect(outbox.isFull).toBe(false);
    }));

  it("is full at a bound of characters as well", () =>
    within(async (state) => {
      const { outbox, say } = house(state, () => away, { limits: { events: 1e6, characters: 20_000 } });
      say("x".repeat(8_000));
      expect(outbox.isFull).toBe(false);
      say("x".repeat(8_000), "x".repeat(8_000));
      expect(outbox.isFull).toBe(true);
    }));

  it("asks on behalf of whoever wrote last where its owner has left the workspace, and less often where nobody may", () =>
    within(async (state) => {
      const author = newId();
      let mayWrite = author;
      const made = house(state, (_batch, scope) => (scope.userId === mayWrite ? ok : orphaned));
      const { journal, outbox, pass, alarmAt } = made;
      const add = () => {
        const message = aMessage({ id: newId(), seq: journal.lastSeq + 1, metadata: { authorUserId: author } });
        journal.transact(() => journal.append({ type: "message:added", message }));
        outbox.wake();
      };
      add();
      await pass(100);
      expect(journal.drainedSeq).toBe(1);
      mayWrite = "nobody";
      add();
      await pass(100);
      const asked = made.batches.length;
      made.alarms.fire(); // the one that stood behind that drain
      await outbox.drain();
      expect([journal.drainedSeq, made.batches.length, alarmAt()]).toEqual([1, asked, 600_150]);
      mayWrite = author;
      add();
      await outbox.drain();
      expect(journal.drainedSeq).toBe(3);
    }));
});

describe("an event that Postgres refuses", () => {
  const poisonous = ({ events }: EventBatch): DrainOutcome =>
    events.some(({ event }) => JSON.stringify(event).includes("poison")) ? refused : ok;

  it("is parked alone, and the admin is told of it without a word of it", () =>
    within(async (state) => {
      const { journal, say, pass, reports, outbox } = house(state, poisonous);
      say(...Array.from({ length: 40 }, (_each, index) => (index === 7 || index === 30 ? "poison!" : `fine ${index}`)));
      await pass(100);
      expect([journal.drainedSeq, outbox.storage]).toEqual([40, "synced"]);
      const [jobs = []] = reports;
      expect(jobs.map(({ subject, status, attempts, error }) => [subject.seq, status, attempts, error])).toEqual([
        [8, "failed", 1, `Event 8 (message:added) of conversation ${journal.born.id}: ${refused.message}`],
        [31, "failed", 1, `Event 31 (message:added) of conversation ${journal.born.id}: ${refused.message}`],
      ]);
      expect(JSON.stringify(reports)).not.toContain("poison!");
    }));

  it("is reported on behalf of whoever wrote last where its owner has left the workspace, and later where nobody may", () =>
    within(async (state) => {
      const author = newId();
      let mayWrite = "nobody";
      const asked: string[] = [];
      const report = async ({ userId }: Scope) => {
        asked.push(userId);
        return userId === mayWrite;
      };
      const { journal, pass, outbox, alarmAt } = house(state, () => refused, { jobs: { report } });
      const message = aMessage({ id: newId(), metadata: { authorUserId: author } });
      journal.transact(() => journal.append({ type: "message:added", message }));
      outbox.wake();
      await pass(100);
      expect([asked, outbox.hasWork]).toEqual([[journal.born.ownerUserId, author], true]);
      expect(alarmAt()).not.toBeNull();
      mayWrite = author;
      await pass(3_600_000);
      await outbox.drain();
      expect([asked.length, asked.at(-1), outbox.hasWork]).toEqual([4, author, false]);
    }));

  it("is reported again when the report did not arrive, and once it did no more", () =>
    within(async (state) => {
      let tries = 0;
      const report = async () => {
        if (++tries === 1) throw new Error("away");
        return true;
      };
      const { say, pass, outbox, alarmAt, told } = house(state, poisonous, { jobs: { report } });
      say("poison!");
      await pass(100);
      expect([outbox.storage, alarmAt() === null]).toEqual(["offline", false]);
      await outbox.drain();
      await outbox.drain();
      expect([tries, outbox.storage, told]).toEqual([2, "synced", ["offline", "synced"]]);
    }));

  it("goes there on the admin's word with all that came after it, and with where the conversation stands", () =>
    within(async (state) => {
      let cured = false;
      const { journal, say, pass, reports, outbox, batches } = house(state, (batch) => (cured ? ok : poisonous(batch)));
      say("fine", "poison!", "fine", "poison!", "fine");
      await pass(100);
      const jobId = reports[0]?.[0]?.id ?? "";
      expect(await outbox.settle(jobId, "retry")).toMatchObject({ status: "failed", attempts: 2 });
      cured = true;
      batches.length = 0;
      expect(await outbox.settle(jobId, "retry")).toMatchObject({ status: "completed", attempts: 3, error: null });
      expect(batches.map(({ seqs }) => seqs)).toEqual([[2], [3, 5], [2]]);
      expect(batches.at(-1)?.current).toEqual({ headId: journal.born.headId, title: "A talk", model: null });
      expect(await outbox.settle(newId(), "retry")).toBeNull();
    }));

  it("is given up on the admin's word, stays in the log, and can still be tried again", () =>
    within(async (state) => {
      let cured = false;
      const { journal, say, pass, reports, outbox } = house(state, (batch) => (cured ? ok : poisonous(batch)));
      say("poison!");
      await pass(100);
      const jobId = reports[0]?.[0]?.id ?? "";
      expect(await outbox.settle(jobId, "cancel")).toMatchObject({ status: "cancelled" });
      expect(JSON.stringify(journal.eventsAfter(0, 10))).toContain("poison!");
      cured = true;
      expect(await outbox.settle(jobId, "retry")).toMatchObject({ status: "completed" });
    }));
});

describe("whatever happens in between", () => {
  it("a drain that ends after the conversation was deleted touches nothing", () =>
    within(async (state) => {
      let answer: (outcome: DrainOutcome) => void = () => {};
      const hold: Sink = () =>
        new Promise((resolve) => {
          answer = resolve;
        });
      const { journal, say, pass, outbox, alarmAt, alarms } = house(state, hold);
      say("one");
      await pass(60);
      journal.forget();
      await state.storage.deleteAlarm();
      await state.storage.deleteAll();
      answer(refused);
      await outbox.drain();
      expect([...state.storage.sql.exec("select name from sqlite_master where name = 'parked'")]).toEqual([]);
      alarms.fire();
      outbox.wake();
      expect(alarmAt()).toBeNull();
    }));

  it("an answer lost after the commit makes the same events come again, from the same place", () =>
    within(async (state) => {
      let tries = 0;
      const { journal, say, pass, batches, outbox } = house(state, () => (++tries === 1 ? away : ok));
      say("one", "two");
      await pass(100);
      await outbox.drain();
      expect(batches.map(({ seqs }) => seqs)).toEqual([
        [1, 2],
        [1, 2],
      ]);
      expect(journal.drainedSeq).toBe(2);
    }));

  it("an object that slept while it was offline says when it is not any more", () =>
    within(async (state) => {
      let answer: DrainOutcome = away;
      const { say, pass, told, make } = house(state, () => answer);
      say("one");
      await pass(100);
      expect(told).toHaveLength(1);
      answer = ok;
      const woken = make();
      await woken.drain();
      expect(woken.storage).toBe("synced");
      expect(told).toHaveLength(2);
    }));

  it("an object that starts anew goes on where Postgres said yes", () =>
    within(async (state) => {
      let answer: DrainOutcome = ok;
      const { say, pass, make, batches, journal } = house(state, () => answer);
      say("one", "two");
      await pass(100);
      answer = away;
      say("three");
      await pass(100);
      answer = ok;
      await make().drain();
      expect(batches.at(-1)?.seqs).toEqual([3]);
      expect(journal.drainedSeq).toBe(3);
    }));
});
