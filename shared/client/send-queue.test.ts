import { beforeEach, describe, expect, test } from "vitest";
import type { ClientFrameInput } from "../contract/frames.ts";
import { handClock } from "../testing/hand-clock.ts";
import { ApiError } from "./api-error.ts";
import { memoryOutbox, type OutboxStorage } from "./outbox.ts";
import { SendQueue } from "./send-queue.ts";
import type { PendingSend } from "./view-state.ts";

const DAY_MS = 86_400_000;
const ack = { seq: 1, state: "started", duplicate: false } as const;
const error = (code: "busy" | "rate_limited" | "database_unavailable" | "conflict" | "idempotency_conflict") =>
  new ApiError({ code, message: `Told: ${code}.`, retryable: code === "rate_limited" || code.startsWith("database") });

let storage: OutboxStorage;
let clock: ReturnType<typeof handClock>;
beforeEach(() => {
  storage = memoryOutbox();
  clock = handClock();
  clock.set(Date.parse("2026-11-21T12:00:00Z"));
});

/** A queue whose server is the test: `sent` is what arrived there. */
function inHand(over: OutboxStorage = storage) {
  const sent: ClientFrameInput[] = [];
  const seen: { pending: PendingSend[] } = { pending: [] };
  const transmit = (frame: ClientFrameInput) => {
    sent.push(frame);
    return true;
  };
  const queue = new SendQueue(over, clock, transmit, (pending) => {
    seen.pending = pending;
  });
  const texts = () => sent.map((frame) => (frame.type === "message:send" ? frame.text : ""));
  const states = () => seen.pending.map(({ state }) => state);
  const add = async (...list: string[]) => {
    const sendings = list.map((text) => queue.add({ text }));
    await settled();
    return sendings.map(({ id }) => id);
  };
  return { queue, sent, seen, texts, states, add };
}

/** Lets every pending write go through. */
const settled = async () => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
};
const kept = async () => (await storage.load()).map((record) => JSON.parse(record));

describe("order", () => {
  test("a message is sent only after the one before it was acknowledged", async () => {
    const { queue, texts, add } = inHand();
    queue.connected();
    const [first = "", second = ""] = await add("one", "two");
    expect(texts()).toEqual(["one"]);
    queue.acknowledge(second, ack, true);
    queue.acknowledge(first, ack, true);
    await add("three");
    expect(texts()).toEqual(["one", "three"]);
  });

  test.each(["rate_limited", "database_unavailable", "busy"] as const)(
    "what is refused for now (%s) is not overtaken, waits longer each time, and is sent again",
    async (code) => {
      const { queue, texts, seen, add } = inHand();
      queue.connected();
      const [first = "", second = ""] = await add("one", "two");
      expect(queue.refuse(first, error(code), undefined)).toBe(true);
      expect(seen.pending).toMatchObject([
        { state: "sending", error: `Told: ${code}.` },
        { state: "sending", error: null },
      ]);
      clock.forward(999);
      expect(texts()).toEqual(["one"]);
      clock.forward(1);
      expect(texts()).toEqual(["one", "one"]);
      queue.refuse(first, error(code), undefined);
      clock.forward(1999);
      expect(texts()).toHaveLength(2);
      clock.forward(1);
      queue.refuse(first, error(code), 30_000);
      clock.forward(29_999);
      expect(texts()).toHaveLength(3);
      clock.forward(1);
      queue.acknowledge(first, ack, true);
      expect(texts()).toEqual(["one", "one", "one", "one", "two"]);
      queue.acknowledge(second, ack, true);
      expect(seen.pending).toEqual([]);
    },
  );

  test("a server that wishes for a day is asked again within a minute", async () => {
    const { queue, texts, add } = inHand();
    queue.connected();
    const [id = ""] = await add("one");
    queue.refuse(id, error("rate_limited"), DAY_MS);
    clock.forward(60_000);
    expect(texts()).toHaveLength(2);
  });

  test("clocks that jump, and messages of one millisecond, change nothing; nor does a restart", async () => {
    const first = inHand();
    await first.add("one", "two");
    clock.set(clock.now() - DAY_MS);
    await first.add("three");
    const second = inHand();
    clock.set(clock.now() - DAY_MS);
    // Written before the storage was read: still the last.
    second.queue.add({ text: "four" });
    await second.queue.load();
    clock.set(clock.now() + 3 * DAY_MS);
    await second.add("five");
    const third = inHand();
    await third.queue.load();
    third.queue.connected();
    for (let n = 0; n < 5; n += 1) {
      const last = third.sent.at(-1);
      third.queue.acknowledge(last && "id" in last ? (last.id ?? "") : "", ack, true);
    }
    expect(third.texts()).toEqual(["one", "two", "three", "four", "five"]);
    await settled();
    expect(await kept()).toEqual([]);
  });
});

describe("nothing is lost", () => {
  test("a message is kept before it is sent, until it is acknowledged", async () => {
    const { queue, sent } = inHand();
    queue.connected();
    const { id } = queue.add({ text: "one" });
    expect(sent).toEqual([]);
    await settled();
    expect(sent).toHaveLength(1);
    expect(await kept()).toMatchObject([{ id, text: "one" }]);
    queue.acknowledge(id, ack, true);
    await settled();
    expect(await kept()).toEqual([]);
  });

  test("a message without an answer is sent again, over the same connection and over the next", async () => {
    const { queue, sent, add } = inHand();
    queue.connected();
    await add("one");
    clock.forward(20_000);
    expect(sent).toHaveLength(2);
    queue.disconnected();
    clock.forward(DAY_MS);
    expect(sent).toHaveLength(2);
    queue.connected();
    expect(sent).toHaveLength(3);
    expect(new Set(sent.map((frame) => ("id" in frame ? frame.id : "")))).toHaveProperty("size", 1);
  });

  test("a full storage is told, and the message goes out all the same", async () => {
    const full: OutboxStorage = {
      load: () => {
        throw new Error("denied");
      },
      save: () => {
        throw new Error("full");
      },
      remove: () => {
        throw new Error("denied");
      },
    };
    const { queue, seen, texts, add } = inHand(full);
    await queue.load();
    const [id = ""] = await add("one");
    expect(seen.pending).toMatchObject([{ state: "sending", kept: false }]);
    queue.connected();
    expect(texts()).toEqual(["one"]);
    queue.acknowledge(id, ack, true);
    await settled();
    expect(seen.pending).toEqual([]);
    const [second = ""] = await add("two");
    await expect(queue.discard(second)).resolves.toBe("two");
  });

  test("an acknowledged message stays in sight until it comes as an event", async () => {
    const { queue, states, add } = inHand();
    queue.connected();
    const [id = ""] = await add("one");
    queue.acknowledge(id, ack, false);
    expect(states()).toEqual(["saved"]);
    queue.acknowledge(id, ack, true);
    expect(states()).toEqual([]);
  });

  test("an answer for an unknown id, a second one, and one after a refusal harm nothing", async () => {
    const { queue, states, texts, add } = inHand();
    queue.connected();
    const [first = "", second = ""] = await add("one", "two");
    queue.acknowledge("unknown", ack, true);
    expect(queue.refuse("unknown", error("conflict"), undefined)).toBe(false);
    queue.refuse(first, error("conflict"), undefined);
    expect(states()).toEqual(["failed", "sending"]);
    expect(texts()).toEqual(["one", "two"]);
    queue.acknowledge(first, ack, true);
    queue.acknowledge(first, ack, true);
    queue.acknowledge(second, ack, true);
    queue.acknowledge(second, ack, true);
    expect(states()).toEqual([]);
  });

  test("two windows on one storage both send, and each lets go by what it hears", async () => {
    const one = inHand();
    const [id = ""] = await one.add("one");
    const two = inHand();
    await two.queue.load();
    for (const { queue } of [one, two]) queue.connected();
    expect([one.sent, two.sent]).toEqual([[expect.objectContaining({ id })], [expect.objectContaining({ id })]]);
    one.queue.acknowledge(id, ack, true);
    await settled();
    expect(two.states()).toEqual(["sending"]);
    two.queue.acknowledge(id, { ...ack, duplicate: true }, true);
    await settled();
    expect([one.states(), two.states(), await kept()]).toEqual([[], [], []]);
  });

  test("an id that another message has is told, and the words are kept under a new one", async () => {
    const { queue, seen, sent, add } = inHand();
    queue.connected();
    const [id = ""] = await add("one");
    queue.refuse(id, error("idempotency_conflict"), undefined);
    await settled();
    const [pending] = seen.pending;
    expect(pending).toMatchObject({ state: "failed", entry: { text: "one" } });
    expect(pending?.id).not.toBe(id);
    expect(await kept()).toMatchObject([{ id: pending?.id, refused: { code: "idempotency_conflict" } }]);
    queue.resend(pending?.id ?? "");
    await settled();
    expect(sent.at(-1)).toMatchObject({ id: pending?.id, text: "one" });
  });

  test("who asked to be turned away while an answer runs is told", async () => {
    const { queue, states } = inHand();
    queue.connected();
    const { id, acknowledged } = queue.add({ text: "now or never", whenBusy: "reject" });
    await settled();
    queue.refuse(id, error("busy"), undefined);
    await expect(acknowledged).rejects.toMatchObject({ code: "busy" });
    expect(states()).toEqual(["failed"]);
  });

  test("when no connection can come any more, every message says why it is not through and stays kept", async () => {
    const { queue, seen, add } = inHand();
    await add("one");
    queue.end(new ApiError({ code: "network", message: "Sign in again." }));
    expect(seen.pending).toMatchObject([{ state: "sending", error: "Sign in again.", kept: true }]);
    expect(await kept()).toHaveLength(1);
  });
});
