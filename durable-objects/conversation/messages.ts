import type { EditMessage, ListMessages, SendAccepted, SendMessage } from "../../shared/contract/conversation.ts";
import type { Result } from "../../shared/contract/errors.ts";
import type { ClientKind } from "../../shared/contract/frames.ts";
import type { Message, Part } from "../../shared/contract/message.ts";
import type { Principal } from "../../shared/domain/access/principal.ts";
import { fail, ok } from "../../shared/domain/app-error.ts";
import { decideSend, type KnownMessage, type NewTurn } from "../../shared/domain/conversation/decide.ts";
import type { Journal } from "./journal.ts";
import { TOO_MUCH_WAITS } from "./outbox.ts";
import { publish, type Room } from "./room.ts";
import type { TurnTable } from "./turn-table.ts";

type Sendable = Pick<SendMessage, "text" | "parts" | "model" | "whenBusy">;
type Accepted = SendAccepted & { duplicate: boolean };

const partsOf = (body: { text?: string | undefined; parts?: Part[] | undefined }): Part[] =>
  body.parts ?? [{ type: "text", text: body.text ?? "" }];

/**
 * The one door for a new message, whoever brings it. What it answers is durable: the ack is sent after it, and any model
 * is called after that.
 */
export function sendMessage(
  room: Room,
  principal: Principal,
  id: string,
  body: Sendable,
  client: ClientKind,
): Result<Accepted> {
  const { journal, turns, services, queue } = room;
  const openTurns = turns.openCount();
  const decision = decideSend(
    {
      id,
      parts: partsOf(body),
      model: body.model ?? null,
      whenBusy: body.whenBusy,
      authorUserId: principal.userId,
      client,
    },
    {
      known: knownMessage(journal, turns, id),
      headId: journal.born.headId,
      openTurns,
      running: openTurns === 0 ? null : (turns.running() ?? turns.nextQueued()),
      nextSeq: journal.lastSeq + 1,
      at: services.now().toISOString(),
      turnId: services.newId(),
      answerId: services.newId(),
    },
  );
  if (decision.kind === "refused") return { ok: false, error: decision.error };
  if (decision.kind === "duplicate") {
    const { seq, state, turnId } = decision;
    return ok({ messageId: id, seq, state, turnId, duplicate: true });
  }
  if (room.outbox.isFull) return TOO_MUCH_WAITS;
  const logged = journal.transact(() => {
    const events = journal.append(decision.event);
    turns.add(decision.turn, decision.state, journal.lastSeq, decision.steers);
    return events;
  });
  publish(room, logged);
  // Its turn is next: what it reads first is on its way while the ack goes.
  if (decision.state === "started")
    queueMicrotask(() => {
      if (!queue.running) room.configuration.readEarly(principal.userId);
    });
  services.timers.after(0, () => queue.kick()); // after the ack has gone: what a turn asks first would hold it up
  return ok({
    messageId: id,
    seq: logged[0]?.seq ?? 0,
    state: decision.state,
    turnId: decision.steers ?? decision.turn.id,
    duplicate: false,
  });
}

function knownMessage(journal: Journal, turns: TurnTable, id: string): KnownMessage | null {
  const stored = journal.message(id);
  if (!stored) return null;
  const turn = turns.firstFor(id);
  return {
    ...stored,
    model: stored.message.metadata.model ?? null,
    state: turn?.accepted ?? "started",
    turnId: turn?.steers ?? turn?.id ?? null,
  };
}

const newTurn = ({ services }: Room, principal: Principal, replyTo: string): NewTurn => ({
  id: services.newId(),
  messageId: services.newId(),
  replyTo,
  model: null,
  askedBy: principal.userId,
});

/**
 * A new turn for a message that is there already: the answer becomes a sibling of the earlier one. It is asked for by
 * whoever wants it, whoever wrote the message.
 */
export function answerAgain(room: Room, principal: Principal, messageId: string): Result<{ turnId: string }> {
  const { journal, turns, queue } = room;
  const question = journal.message(messageId);
  if (question?.message.role !== "user" || question.deleted)
    return fail("not_found", "There is no message to answer again.");
  if (turns.openCount() > 0) return fail("busy", "An answer is being written; stop it or wait for it.");
  if (room.outbox.isFull) return TOO_MUCH_WAITS;
  const turn = newTurn(room, principal, messageId);
  const logged = journal.transact(() => {
    const events = journal.born.headId === messageId ? [] : journal.append({ type: "head:moved", messageId });
    turns.add(turn, "started", journal.lastSeq);
    return events;
  });
  publish(room, logged);
  queue.kick();
  return ok({ turnId: turn.id });
}

/** A sibling of the message with other content; the head moves to it and it is answered. */
export function editMessage(room: Room, principal: Principal, messageId: string, body: EditMessage): Result<Message> {
  const { journal, turns, services } = room;
  const stored = journal.message(messageId);
  if (!stored || stored.deleted) return fail("not_found", "There is no such message in this conversation.");
  if (stored.message.role !== "user")
    return fail("invalid_request", "Only a message that a person wrote can be edited; use /retry for another answer.");
  if (turns.openCount() > 0) return fail("busy", "An answer is being written; stop it or wait for it.");
  if (room.outbox.isFull) return TOO_MUCH_WAITS;
  const id = services.newId();
  const at = services.now().toISOString();
  const turn = newTurn(room, principal, id);
  const logged = journal.transact(() => {
    const seq = journal.lastSeq + 1;
    const message: Message = {
      id,
      seq,
      updatedSeq: seq,
      parentId: stored.message.parentId,
      role: "user",
      parts: partsOf(body),
      metadata: { authorUserId: principal.userId },
      createdAt: at,
    };
    const events = journal.append({ type: "message:added", message });
    turns.add(turn, "started", journal.lastSeq);
    return events;
  });
  publish(room, logged);
  room.queue.kick();
  const edited = journal.message(id);
  return edited
    ? ok(edited.message)
    : fail("internal", "The edited message could not be read back; reload the conversation.");
}

/** A tombstone: its place in the tree stays, its content goes, here and in Postgres. */
export function deleteMessage(room: Room, messageId: string): Result<null> {
  const { journal, turns, queue } = room;
  const stored = journal.message(messageId);
  if (!stored || stored.deleted) return fail("not_found", "There is no such message in this conversation.");
  for (const turn of turns.openFor(messageId)) queue.stop(turn.id, "The message was deleted.");
  const logged = journal.transact(() => {
    journal.redact(messageId);
    return journal.append({ type: "message:deleted", messageId });
  });
  publish(room, logged);
  return ok(null);
}

/** UTF-16 units after which a page ends: the platform carries 32 MiB from an object to the Worker. */
const PAGE_LENGTH = 4_000_000;

const ACTIVE = `with recursive path (id, parent_id) as (
  select id, parent_id from messages where id = ?
  union all select m.id, m.parent_id from messages m join path p on m.id = p.parent_id
) select m.* from messages m join path p on p.id = m.id where m.deleted = 0`;
const ALL = "select m.* from messages m where m.deleted = 0";

/** Messages by `seq` ascending: from the start, what changed `after` a position, or the last ones `before` one. */
export function listMessages(
  journal: Journal,
  query: ListMessages,
): Result<{ items: Message[]; nextCursor: string | null }> {
  const active = query.branches === "active";
  const base = active ? ACTIVE : ALL;
  const args: (string | number)[] = active ? [journal.born.headId ?? ""] : [];
  const from = query.cursor === undefined ? null : Number(query.cursor);
  if (from !== null && !Number.isSafeInteger(from))
    return fail("invalid_request", "`cursor`: take it from `nextCursor` of the page before.");
  const backwards = query.before !== undefined;
  const where = [
    ...(query.after === undefined ? [] : [{ sql: "m.updated_seq > ?", arg: query.after }]),
    ...(query.before === undefined ? [] : [{ sql: "m.seq < ?", arg: from ?? query.before }]),
    ...(from === null || backwards ? [] : [{ sql: "m.seq > ?", arg: from }]),
  ];
  const sql = `${base}${where.map((each) => ` and ${each.sql}`).join("")} order by m.seq ${backwards ? "desc" : "asc"} limit ?`;
  const items: Message[] = [];
  let length = 0;
  let hasMore = false;
  for (const message of journal.page({ sql, args: [...args, ...where.map((each) => each.arg), query.limit + 1] })) {
    hasMore = items.length === query.limit || length > PAGE_LENGTH;
    if (hasMore) break;
    items.push(message);
    length += JSON.stringify(message.parts).length;
  }
  const last = items.at(-1);
  const nextCursor = hasMore && last ? String(last.seq) : null;
  return ok({ items: backwards ? items.reverse() : items, nextCursor });
}
