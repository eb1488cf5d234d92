import { sql } from "drizzle-orm";
import fc from "fast-check";
import { v7 } from "uuid";
import { describe, expect, it } from "vitest";
import { createConversationStore } from "../../../adapters/postgres/conversation-store.ts";
import { createEventSink } from "../../../adapters/postgres/event-sink.ts";
import type { ConversationEvent, LoggedEvent } from "../../../contract/events.ts";
import type { Message } from "../../../contract/message.ts";
import { at, makeConversation, makePerson, makeReceipt, type Person, type Rooms, userMessage } from "./people.ts";

type Step = { kind: number; pick: number };

/** A log that an object could have written: questions, answers with tools, edits, deletions, titles, heads. */
function logOf(steps: readonly Step[]): LoggedEvent[] {
  const log: LoggedEvent[] = [];
  const messages: Message[] = [];
  const open: { turnId: string; message: Message }[] = [];
  const deleted = new Set<string>();
  const add = (event: ConversationEvent): void => {
    const seq = log.length + 1;
    log.push({ seq, at: at(seq), event });
  };
  const at_ = <Item>(items: readonly Item[], pick: number): Item | undefined => items[pick % (items.length || 1)];
  for (const { kind, pick } of steps) {
    const seq = log.length + 1;
    const message = at_(messages, pick);
    const turn = at_(open, pick);
    if (kind === 0 || !message) {
      const made = userMessage(seq, `secret ${seq}`, { parentId: message?.id ?? null });
      messages.push(made);
      add({ type: "message:added", message: made });
    } else if (kind === 1) {
      const [turnId, messageId] = [v7(), v7()];
      const answer = userMessage(seq, "", {
        id: messageId,
        role: "assistant",
        parentId: message.id,
        metadata: { turnId },
      });
      open.push({ turnId, message: answer });
      messages.push(answer);
      add({
        type: "turn:started",
        turnId,
        messageId,
        replyTo: message.id,
        parentId: message.id,
        receipt: makeReceipt(),
      });
    } else if (kind === 2 && turn && !deleted.has(turn.message.id)) {
      open.splice(open.indexOf(turn), 1);
      const { turnId } = turn;
      const ended = {
        ...turn.message,
        updatedSeq: seq,
        parts: [{ type: "text" as const, text: `secret answer ${seq}` }],
      };
      const usage = { inputTokens: seq, outputTokens: 1, cachedTokens: 0 };
      const error = { code: "internal" as const, message: "no" };
      if (pick % 3 === 0) add({ type: "turn:completed", turnId, message: ended, usage });
      else if (pick % 3 === 1)
        add({ type: "turn:interrupted", turnId, message: ended, why: "cut", willContinue: false });
      else add({ type: "turn:failed", turnId, error, canRetry: true });
    } else if (kind === 3) {
      const parts = [{ type: "text" as const, text: `secret edit ${seq}` }];
      add({ type: "message:updated", message: { ...message, updatedSeq: seq, parts } });
    } else if (kind === 4 && !open.some((each) => each.message.id === message.id)) {
      if (!deleted.has(message.id)) add({ type: "message:deleted", messageId: message.id });
      deleted.add(message.id);
    } else if (kind === 5) add({ type: "title:changed", title: `title ${seq}` });
    else if (kind === 6) add({ type: "head:moved", messageId: message.id });
    else add({ type: "model:switched", model: pick % 2 === 0 ? `m-${seq}` : null, pinned: pick % 2 === 0 });
  }
  return log;
}

/** Batches as a flawed world delivers them: any pieces, any of them again, old ones late; never beyond what was confirmed. */
function deliveries(
  log: readonly LoggedEvent[],
  cuts: readonly { size: number; back: number; again: boolean }[],
): LoggedEvent[][] {
  const sent: LoggedEvent[][] = [];
  let reached = 0;
  for (const { size, back, again } of cuts) {
    const from = Math.max(0, reached - back);
    sent.push(log.slice(from, from + back + size));
    reached = Math.max(reached, Math.min(log.length, from + back + size));
    if (again) sent.push(sent[(size * 7) % sent.length] ?? []);
  }
  return [...sent, log.slice(reached), log.slice(0, 3), log.slice(-3)].filter((batch) => batch.length > 0);
}

export function drainOrdersSuite(open: () => Rooms): void {
  /** Everything that a log made in Postgres, in a conversation of its own. */
  async function rowsAfter(
    rooms: Rooms,
    ann: Person,
    batches: readonly LoggedEvent[][],
    parked?: LoggedEvent,
  ): Promise<unknown> {
    const talk = await makeConversation(rooms, ann, ann.personalWorkspaceId);
    const sink = createEventSink(rooms.app);
    const to = { conversationId: talk.id, workspaceId: talk.workspaceId };
    for (const events of batches) {
      const rest = events.filter((event) => event !== parked);
      if (rest.length > 0) expect(await sink.drain(ann, { ...to, events: rest })).toEqual({ ok: true });
    }
    if (parked) {
      const log = batches.flat().filter((event) => event.seq >= parked.seq);
      const behind = [...new Map(log.map((event) => [event.seq, event])).values()].sort((a, b) => a.seq - b.seq);
      for (const events of [[parked], behind]) expect(await sink.drain(ann, { ...to, events })).toEqual({ ok: true });
    }
    const of = (table: string) =>
      sql`select to_jsonb(t) - 'conversation_id' as row from ${sql.identifier(table)} t where conversation_id = ${talk.id}`;
    const [events, messages, turns, receipts] = await rooms.app.scoped(ann, (db) => [
      db.execute(sql`${of("conversation_events")} order by seq`),
      db.execute(sql`${of("messages")} order by id`),
      db.execute(sql`${of("turns")} order by id`),
      db.execute(sql`${of("receipts")} order by id`),
    ]);
    const found = await createConversationStore(rooms.app).find(ann, talk.id);
    const { headId, title, model } = found?.conversation ?? {};
    const state = parked ? {} : { headId, title, model };
    return { ...state, lastSeq: found?.lastSeq, tables: [events, messages, turns, receipts].map(({ rows }) => rows) };
  }

  const steps = fc.array(fc.record({ kind: fc.nat(7), pick: fc.nat(50) }), { minLength: 1, maxLength: 30 });
  const cuts = fc.array(fc.record({ size: fc.integer({ min: 1, max: 8 }), back: fc.nat(6), again: fc.boolean() }), {
    maxLength: 10,
  });

  describe("drains in every order that retries can make", () => {
    it("leave the rows that one drain of the whole log leaves", async () => {
      const rooms = open();
      const ann = await makePerson(rooms, "Ann");
      await fc.assert(
        fc.asyncProperty(steps, cuts, async (made, pieces) => {
          const log = logOf(made);
          expect(await rowsAfter(rooms, ann, deliveries(log, pieces))).toEqual(await rowsAfter(rooms, ann, [log]));
        }),
        { numRuns: 10 },
      );
    }, 120_000);

    it("leave them also when one event was refused and came much later, with what lies behind it", async () => {
      const rooms = open();
      const ann = await makePerson(rooms, "Ann");
      await fc.assert(
        fc.asyncProperty(steps, cuts, fc.nat(), async (made, pieces, which) => {
          const log = logOf(made);
          const parked = log[which % log.length];
          const whole = await rowsAfter(rooms, ann, [log], log[0]);
          expect(await rowsAfter(rooms, ann, deliveries(log, pieces), parked)).toEqual(whole);
        }),
        { numRuns: 10 },
      );
    }, 120_000);
  });
}
