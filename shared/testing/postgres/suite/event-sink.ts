import { sql } from "drizzle-orm";
import { v7 } from "uuid";
import { describe, expect, it } from "vitest";
import { createConversationStore } from "../../../adapters/postgres/conversation-store.ts";
import { createEventSink } from "../../../adapters/postgres/event-sink.ts";
import type { LoggedEvent } from "../../../contract/events.ts";
import type { Message } from "../../../contract/message.ts";
import { added, at, makeConversation, makePerson, makeReceipt, type Rooms, userMessage } from "./people.ts";

async function scene(rooms: Rooms) {
  const ann = await makePerson(rooms, "Ann");
  const talk = await makeConversation(rooms, ann, ann.personalWorkspaceId);
  const sink = createEventSink(rooms.app);
  const drain = (...events: LoggedEvent[]) =>
    sink.drain(ann, { conversationId: talk.id, workspaceId: talk.workspaceId, events });
  const read = async (table: string) => {
    const [found] = await rooms.app.scoped(ann, (db) => [
      db.execute(sql`select * from ${sql.identifier(table)} where conversation_id = ${talk.id} order by 1`),
    ]);
    return found.rows;
  };
  const conversation = () => createConversationStore(rooms.app).find(ann, talk.id);
  return { ann, talk, drain, read, conversation };
}

const edited = (seq: number, message: Message, text: string): LoggedEvent => ({
  seq,
  at: at(seq),
  event: { type: "message:updated", message: { ...message, updatedSeq: seq, parts: [{ type: "text", text }] } },
});

const deleted = (seq: number, messageId: string): LoggedEvent => ({
  seq,
  at: at(seq),
  event: { type: "message:deleted", messageId },
});

/** One whole turn at seq 1 to 5, with a tool call. */
function wholeTurn() {
  const [turnId, messageId] = [v7(), v7()];
  const question = userMessage(1, "What is it?");
  const receipt = makeReceipt();
  const answer = userMessage(2, "It is 42.", {
    id: messageId,
    role: "assistant",
    parentId: question.id,
    updatedSeq: 5,
  });
  const usage = { inputTokens: 3, outputTokens: 4, cachedTokens: 0 };
  const events: LoggedEvent[] = [
    added(question),
    { seq: 2, at: at(2), event: { type: "turn:started", turnId, messageId, replyTo: question.id, receipt } },
    {
      seq: 3,
      at: at(3),
      event: {
        type: "tool:requested",
        turnId,
        call: { callId: "c", name: "t", input: "secret", step: 0 },
        needsApproval: false,
      },
    },
    {
      seq: 4,
      at: at(4),
      event: { type: "tool:completed", turnId, callId: "c", outcome: { output: "secret", isError: false } },
    },
    { seq: 5, at: at(5), event: { type: "turn:completed", turnId, message: answer, usage } },
  ];
  return { turnId, question, answer, receipt, usage, events };
}

export function eventSinkSuite(open: () => Rooms): void {
  describe("the event sink", () => {
    it("makes the same rows whether a batch comes once, twice, or cut into pieces that overlap", async () => {
      const { events, answer, receipt, usage, turnId } = wholeTurn();
      const outcomes: unknown[] = [];
      const ways: LoggedEvent[][][] = [
        [events],
        [events, events],
        [events.slice(0, 2), events.slice(1, 4), events, events.slice(0, 3)],
        [[...events].reverse()],
      ];
      for (const way of ways) {
        const { drain, read, conversation } = await scene(open());
        for (const part of way) expect(await drain(...part)).toEqual({ ok: true });
        const found = await conversation();
        expect((await read("conversation_events")).map(({ seq }) => Number(seq)).sort()).toEqual([1, 2, 3, 4, 5]);
        outcomes.push({
          messages: (await read("messages"))
            .map(({ id, text, updated_seq, deleted }) => ({ id, text, updated_seq, deleted }))
            .sort((a, b) => Number(a.updated_seq) - Number(b.updated_seq)),
          turns: (await read("turns")).map(({ id, state, usage, updated_seq }) => ({ id, state, usage, updated_seq })),
          receipts: (await read("receipts")).map(({ receipt }) => receipt),
          head: found?.conversation.headId,
          lastSeq: found?.lastSeq,
        });
      }
      expect(outcomes[0]).toMatchObject({
        messages: [{ text: "What is it?" }, { id: answer.id, text: "It is 42." }],
        turns: [{ id: turnId, state: "completed", usage }],
        receipts: [receipt],
        head: answer.id,
        lastSeq: 5,
      });
      for (const outcome of outcomes) expect(outcome).toEqual(outcomes[0]);
    });

    it("marks the answer of a failed turn, whether it comes with its start or after it", async () => {
      const { question, events, turnId, usage } = wholeTurn();
      const error = { code: "provider_failed" as const, message: "It said no." };
      const cost = { usage, microUsd: 12 };
      const event = { type: "turn:failed" as const, turnId, error, canRetry: true, ...cost };
      const failed: LoggedEvent = { seq: 3, at: at(3), event };
      const begun = events.slice(0, 2);
      for (const way of [[[...begun, failed]], [begun, [failed]], [begun, [failed], begun, [failed]]]) {
        const { drain, read } = await scene(open());
        for (const part of way) expect(await drain(...part)).toEqual({ ok: true });
        const rows = await read("messages");
        expect(rows.find(({ id }) => id !== question.id)).toMatchObject({
          metadata: { finishReason: "failed" },
          updated_seq: "3",
        });
        expect(await read("turns")).toMatchObject([{ state: "failed", error, usage }]);
      }
    });

    it("lets the later of two versions stand, whatever comes first", async () => {
      const { drain, read } = await scene(open());
      const message = userMessage(1, "one");
      expect(await drain(added(message), edited(2, message, "two"))).toEqual({ ok: true });
      expect(await drain(edited(3, message, "three"))).toEqual({ ok: true });
      expect(await drain(added(message), edited(2, message, "two"))).toEqual({ ok: true });
      expect(await read("messages")).toMatchObject([{ text: "three", seq: "1", updated_seq: "3" }]);
    });

    it("leaves a tombstone without a word of the message, in the log as well, that nothing brings back", async () => {
      const { drain, read } = await scene(open());
      const { events, answer, question } = wholeTurn();
      expect(await drain(...events)).toEqual({ ok: true });
      expect(await drain(deleted(6, answer.id), deleted(7, question.id))).toEqual({ ok: true });
      expect(await drain(...events)).toEqual({ ok: true });
      expect(await read("messages")).toMatchObject([
        { deleted: true, text: "", parts: [] },
        { deleted: true, text: "", parts: [] },
      ]);
      const log = JSON.stringify(await read("conversation_events"));
      for (const word of ["What is it", "It is 42", "secret"]) expect(log).not.toContain(word);
    });

    it("leaves the tombstone also when message and deletion come in one batch", async () => {
      const { drain, read } = await scene(open());
      const message = userMessage(1, "gone soon");
      expect(await drain(added(message), deleted(2, message.id))).toEqual({ ok: true });
      expect(await read("messages")).toMatchObject([{ deleted: true, text: "" }]);
      expect(JSON.stringify(await read("conversation_events"))).not.toContain("gone soon");
    });

    it("deletes what a deletion names also when that comes late, behind a change", async () => {
      const { drain, read } = await scene(open());
      const message = userMessage(1, "one");
      expect(await drain(added(message), edited(3, message, "secret"))).toEqual({ ok: true });
      expect(await drain(deleted(2, message.id))).toEqual({ ok: true });
      expect(await read("messages")).toMatchObject([{ deleted: true, text: "", updated_seq: "2" }]);
      expect(JSON.stringify(await read("conversation_events"))).not.toContain("secret");
    });

    it("raises the alarm instead of losing an event whose place is taken, and applies nothing of that batch", async () => {
      const { drain, read } = await scene(open());
      expect(await drain(added(userMessage(1, "first")))).toEqual({ ok: true });
      const outcome = await drain(added(userMessage(1, "an impostor")), added(userMessage(2, "second")));
      expect(outcome).toMatchObject({ ok: false, retry: false, message: expect.stringContaining("position 1") });
      expect(await read("messages")).toMatchObject([{ text: "first" }]);
      expect(await read("conversation_events")).toHaveLength(1);
    });

    it("refuses for good what Postgres cannot hold, and takes the rest once it is parked", async () => {
      const { drain, read } = await scene(open());
      for (const poison of ["a\0b", "a\ud800b"]) {
        expect(await drain(added(userMessage(1, poison)), added(userMessage(2, "good")))).toMatchObject({
          ok: false,
          retry: false,
        });
      }
      expect(await read("conversation_events")).toEqual([]);
      expect(await drain(added(userMessage(2, "good")))).toEqual({ ok: true });
      expect(await read("messages")).toMatchObject([{ text: "good" }]);
    });

    it("writes nothing to a conversation that this user cannot see, and may be asked again: an owner can come back", async () => {
      const rooms = open();
      const { ann, talk, drain } = await scene(rooms);
      const sink = createEventSink(rooms.app);
      const events = [added(userMessage(1, "x"))];
      expect(await sink.drain(ann, { conversationId: v7(), workspaceId: talk.workspaceId, events })).toMatchObject({
        ok: false,
        retry: true,
      });
      expect(await sink.drain(ann, { conversationId: talk.id, workspaceId: v7(), events })).toMatchObject({
        ok: false,
        retry: true,
      });
      expect(await drain(...events)).toEqual({ ok: true });
      expect(await drain()).toEqual({ ok: true });
    });

    it("follows title, pinned model, agent and head, and never goes back", async () => {
      const { drain, conversation } = await scene(open());
      const agent = { id: v7(), name: "Scout" };
      const moves: LoggedEvent[] = [
        { seq: 1, at: at(1), event: { type: "title:changed", title: "First" } },
        { seq: 2, at: at(2), event: { type: "model:switched", model: "m-1", pinned: true } },
        { seq: 3, at: at(3), event: { type: "agent:switched", agent } },
        { seq: 4, at: at(9), event: { type: "title:changed", title: "Second" } },
      ];
      expect(await drain(...moves)).toEqual({ ok: true });
      expect(await drain(...moves.slice(0, 2))).toEqual({ ok: true });
      const found = await conversation();
      expect(found).toMatchObject({
        conversation: { title: "Second", model: "m-1", agentId: agent.id, updatedAt: at(9) },
        lastSeq: 4,
      });
      expect(await drain({ seq: 5, at: at(5), event: { type: "head:moved", messageId: null } })).toEqual({ ok: true });
      expect((await conversation())?.conversation.headId).toBeNull();
    });

    it("gives the whole log back as it was, to rebuild an object from", async () => {
      const rooms = open();
      const { ann, talk, drain } = await scene(rooms);
      const { events } = wholeTurn();
      await drain(...events);
      const store = createConversationStore(rooms.app);
      expect(await store.events(ann, talk.id, 0, 100)).toEqual(events);
      expect((await store.events(ann, talk.id, 2, 2)).map(({ seq }) => seq)).toEqual([3, 4]);
    });

    it("takes two hundred events in one request", async () => {
      const { drain, conversation } = await scene(open());
      const events = Array.from({ length: 200 }, (_, index) => added(userMessage(index + 1, `message ${index}`)));
      expect(await drain(...events)).toEqual({ ok: true });
      expect((await conversation())?.lastSeq).toBe(200);
    });
  });
}
