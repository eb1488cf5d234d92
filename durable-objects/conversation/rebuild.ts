import type { Conversation } from "../../shared/contract/conversation.ts";
import type { Result } from "../../shared/contract/errors.ts";
import type { ConversationEvent, LoggedEvent } from "../../shared/contract/events.ts";
import type { Principal } from "../../shared/domain/access/principal.ts";
import { fail, ok } from "../../shared/domain/app-error.ts";
import { noteWork, noWork, type OpenWork } from "../../shared/domain/conversation/open-work.ts";
import type { Scope } from "../../shared/ports/conversation-store.ts";
import { restoreTurn } from "./restore-turn.ts";
import { publish, type Room } from "./room.ts";
import { expectLateChange } from "./unsettled-change.ts";
import { asResult } from "./update.ts";

const REBUILD_PAGE = 500;

const running = new WeakMap<Room, Promise<Result<Conversation>>>();

/**
 * An object that knows nothing asks Postgres, on behalf of who asks: either nobody ever made this conversation, or its
 * storage was lost and everything comes back from the log that was drained. One at a time; where Postgres goes away in
 * the middle there is still no conversation, and whoever asks next begins anew.
 */
export async function rebuild(room: Room, principal: Principal): Promise<Result<Conversation>> {
  for (let other = running.get(room); other; other = running.get(room)) await other;
  if (room.journal.conversation) return ok(room.journal.born);
  const work = asResult(() => restoreFrom(room, { userId: principal.userId }));
  running.set(room, work);
  try {
    return await work;
  } finally {
    running.delete(room);
  }
}

async function restoreFrom(room: Room, scope: Scope): Promise<Result<Conversation>> {
  const { services, journal } = room;
  const found = await services.conversations.find(scope, room.id);
  if (!found) return fail("not_found", "There is no such conversation.");
  if (journal.conversation) return ok(journal.born); // it was born meanwhile
  journal.restore({ ...found.conversation, headId: null });
  const work = noWork();
  let hasHoles = false;
  while (journal.lastSeq < found.lastSeq) {
    const page = await services.conversations.events(scope, room.id, journal.lastSeq, REBUILD_PAGE);
    if (journal.conversation) return ok(journal.born);
    const log = withoutHoles(page, journal.born, journal.lastSeq, page.at(-1)?.seq ?? found.lastSeq);
    hasHoles ||= log.length > page.length;
    journal.transact(() => {
      for (const logged of log) {
        journal.replay([logged]);
        restoreTurn(room, logged);
        noteWork(work, logged);
      }
    });
  }
  // Who has lost sight of it meanwhile sees nothing but holes.
  if (hasHoles && !(await services.conversations.find(scope, room.id)))
    return fail("not_found", "There is no such conversation.");
  if (journal.conversation) return ok(journal.born);
  const lost = journal.transact(() => {
    journal.endRestoring(journal.lastSeq);
    return takeUp(room, work);
  });
  expectLateChange(room, scope.userId);
  publish(room, lost);
  room.queue.kick();
  return ok(journal.born);
}

/** A place whose event Postgres refused is taken by one that changes nothing: positions have no gaps. */
function withoutHoles(page: readonly LoggedEvent[], born: Conversation, after: number, upTo: number): LoggedEvent[] {
  const log: LoggedEvent[] = [];
  let { headId } = born;
  const fill = (until: number, at: string): void => {
    for (let seq = after + log.length + 1; seq < until; seq++)
      log.push({ seq, at, event: { type: "head:moved", messageId: headId } });
  };
  for (const logged of page) {
    fill(logged.seq, logged.at);
    log.push(logged);
    const { event } = logged;
    if (event.type === "message:added") headId = event.message.id;
    if (event.type === "turn:started" || event.type === "head:moved") headId = event.messageId;
  }
  fill(upTo + 1, born.updatedAt);
  return log;
}

/** Turns that were lost in the middle end here; what was accepted and never begun is answered now. */
function takeUp({ journal, turns, services }: Room, work: OpenWork): LoggedEvent[] {
  for (const turnId of work.turns.keys()) turns.end(turnId, "failed");
  for (const [replyTo, seq] of work.asked) {
    const { model = null, authorUserId: askedBy = null } = journal.message(replyTo)?.message.metadata ?? {};
    turns.add({ id: services.newId(), messageId: services.newId(), replyTo, model, askedBy }, "queued", seq);
  }
  return journal.append(...[...work.turns.keys()].map(lostTurn));
}

const lostTurn = (turnId: string): ConversationEvent => ({
  type: "turn:failed",
  turnId,
  error: { code: "internal", message: "The server lost this answer while it was being written; ask again." },
  canRetry: true,
});
