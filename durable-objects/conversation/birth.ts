import type { Conversation } from "../../shared/contract/conversation.ts";
import type { Result } from "../../shared/contract/errors.ts";
import type { ConversationEvent, LoggedEvent } from "../../shared/contract/events.ts";
import { covers, type Right, rightOf } from "../../shared/domain/access/authorise.ts";
import type { Principal } from "../../shared/domain/access/principal.ts";
import { fail, ok } from "../../shared/domain/app-error.ts";
import type { Seed } from "../../shared/ports/conversation-object.ts";
import { publish, type Room } from "./room.ts";
import { asResult } from "./update.ts";

const REBUILD_PAGE = 500;

const NOT_FOUND = fail("not_found", "There is no such conversation.");

/** Who asks may do this here, and the conversation exists; anything else looks as if there were none. */
export async function admit(room: Room, principal: Principal, needed: Right): Promise<Result<Conversation>> {
  if (principal.expiresAt <= room.services.now().toISOString())
    return fail("expired", "Your sign-in has expired; sign in again.");
  if (room.journal.conversation && isRevoked(room, principal.credentialId))
    return fail("expired", "This sign-in was revoked; sign in again.");
  const born = room.journal.conversation ? ok(room.journal.conversation) : await rebuild(room, principal);
  if (!born.ok) return born;
  const right = rightOf(principal, born.value);
  if (right === "none") return NOT_FOUND;
  if (!covers(right, needed)) {
    return fail(
      "forbidden",
      needed === "own"
        ? "Only the owner of a conversation can do this."
        : "You may read this conversation, not write in it.",
    );
  }
  return born;
}

/** A new conversation's first moment; a second call finds it there already. */
export function create(
  room: Room,
  principal: Principal,
  conversation: Conversation,
  seed: Seed | null,
): Result<Conversation> {
  const { journal } = room;
  if (journal.conversation) return rightOf(principal, journal.born) === "own" ? ok(journal.born) : NOT_FOUND;
  if (conversation.id !== room.id || rightOf(principal, conversation) !== "own") return NOT_FOUND;
  journal.birth(conversation, []);
  const added = (seed?.messages ?? []).map((message, index): ConversationEvent => {
    const seq = index + 1;
    return { type: "message:added", message: { ...message, seq, updatedSeq: seq } };
  });
  const moved: ConversationEvent[] =
    seed?.headId && seed.headId !== seed.messages.at(-1)?.id ? [{ type: "head:moved", messageId: seed.headId }] : [];
  const logged = journal.transact(() => journal.append(...added, ...moved));
  publish(room, logged);
  return ok(journal.born);
}

/**
 * An object that knows nothing asks Postgres, on behalf of who asks: either nobody ever made this conversation, or its
 * storage was lost and everything comes back from the log that was drained.
 */
function rebuild(room: Room, principal: Principal): Promise<Result<Conversation>> {
  return asResult(async () => {
    const { services, journal } = room;
    const scope = { userId: principal.userId };
    const found = await services.conversations.find(scope, room.id);
    if (!found) return NOT_FOUND;
    const events: LoggedEvent[] = [];
    while (events.length < found.lastSeq) {
      const page = await services.conversations.events(scope, room.id, events.at(-1)?.seq ?? 0, REBUILD_PAGE);
      if (page.length === 0) break;
      events.push(...page);
    }
    if (journal.conversation) return ok(journal.born); // someone else was faster
    journal.birth({ ...found.conversation, headId: null }, events);
    const lost = journal.transact(() => journal.append(...openTurns(events).map(lostTurn)));
    publish(room, lost);
    return ok(journal.born);
  });
}

/** Turns that began in the log and have no ending there. */
function openTurns(events: readonly LoggedEvent[]): string[] {
  const open = new Set<string>();
  for (const { event } of events) {
    if (event.type === "turn:started") open.add(event.turnId);
    else if (event.type === "turn:completed" || event.type === "turn:failed") open.delete(event.turnId);
    else if (event.type === "turn:interrupted" && !event.willContinue) open.delete(event.turnId);
  }
  return [...open];
}

const lostTurn = (turnId: string): ConversationEvent => ({
  type: "turn:failed",
  turnId,
  error: { code: "internal", message: "The server lost this answer while it was being written; ask again." },
  canRetry: true,
});

function isRevoked(room: Room, credentialId: string): boolean {
  return room.storage.sql.exec("select 1 from revoked where credential_id = ?", credentialId).toArray().length > 0;
}
