import { expect, test } from "vitest";
import type { ApiClient } from "./api-client.ts";
import { ApiError } from "./api-error.ts";
import { memoryOutbox } from "./outbox.ts";
import { resendLeftovers } from "./resend-leftovers.ts";

const entry = (n: number, more: object = {}) => {
  const id = `0190aaaa-0000-7000-8000-00000000000${n}`;
  return { id, text: `m${n}`, queuedAt: "2026-11-21T00:00:00.000Z", place: n, ...more };
};

/** An outbox with these messages, and a server that answers with `fate`. */
async function leftovers(entries: ReturnType<typeof entry>[], fate: (text: string) => ApiError | null) {
  const storage = memoryOutbox();
  for (const each of entries) await storage.save(each.id, JSON.stringify(each));
  const bodies: object[] = [];
  const send: ApiClient["messages"]["send"] = async (_conversationId, body) => {
    bodies.push(body);
    const error = fate(body.text ?? "");
    if (error) throw error;
    return { messageId: body.id ?? "", seq: 1, state: "started", turnId: null };
  };
  const sent = await resendLeftovers({ messages: { send } }, ["c"], () => storage);
  return { sent, bodies, left: (await storage.load()).map((record) => JSON.parse(record).text) };
}

test("what was left goes out in its order and with nothing the server does not know", async () => {
  const { sent, bodies, left } = await leftovers([entry(3), entry(1), entry(2)], () => null);
  expect(sent).toBe(3);
  expect(bodies).toEqual([1, 2, 3].map((n) => ({ id: entry(n).id, text: `m${n}`, whenBusy: "queue" })));
  expect(left).toEqual([]);
});

test("one that cannot go now holds back those behind it; one refused for good does not", async () => {
  const away = new ApiError({ code: "database_unavailable", message: "Later.", retryable: true });
  const gone = new ApiError({ code: "forbidden", message: "No." });
  const held = await leftovers([entry(1), entry(2)], (text) => (text === "m1" ? away : null));
  expect([held.sent, held.left]).toEqual([0, ["m1", "m2"]]);
  const refused = await leftovers([entry(1), entry(2)], (text) => (text === "m1" ? gone : null));
  expect([refused.sent, refused.left]).toEqual([1, ["m1"]]);
  const told = await leftovers([entry(1, { refused: { code: "conflict", message: "No." } }), entry(2)], () => null);
  expect([told.sent, told.left]).toEqual([1, ["m1"]]);
});

test("one for which too many wait holds back those behind it, or they would overtake it", async () => {
  const busy = new ApiError({ code: "busy", message: "Too many wait." });
  const held = await leftovers([entry(1), entry(2)], (text) => (text === "m1" ? busy : null));
  expect([held.sent, held.left]).toEqual([0, ["m1", "m2"]]);
  const rejected = await leftovers([entry(1, { whenBusy: "reject" }), entry(2)], (text) =>
    text === "m1" ? busy : null,
  );
  expect([rejected.sent, rejected.left]).toEqual([1, ["m1"]]);
});
