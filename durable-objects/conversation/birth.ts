import type { Conversation } from "../../shared/contract/conversation.ts";
import type { Result } from "../../shared/contract/errors.ts";
import type { ConversationEvent } from "../../shared/contract/events.ts";
import { covers, type Right, rightOf } from "../../shared/domain/access/authorise.ts";
import type { Principal } from "../../shared/domain/access/principal.ts";
import { fail, ok } from "../../shared/domain/app-error.ts";
import type { Seed } from "../../shared/ports/conversation-object.ts";
import { importInto } from "./import-into.ts";
import { rebuild } from "./rebuild.ts";
import { publish, type Room } from "./room.ts";
import { refusedInDoubt } from "./unsettled-change.ts";

const NOT_FOUND = fail("not_found", "There is no such conversation.");

/** Who asks may do this here, and the conversation exists; anything else looks as if there were none. */
export async function admit(room: Room, principal: Principal, needed: Right): Promise<Result<Conversation>> {
  if (principal.expiresAt <= room.services.now().toISOString())
    return fail("expired", "Your sign-in has expired; sign in again.");
  if (room.journal.conversation && isRevoked(room, principal.credentialId))
    return fail("expired", "This sign-in was revoked; sign in again.");
  const born = room.journal.conversation ? ok(room.journal.conversation) : await rebuild(room, principal);
  if (!born.ok) return born;
  const refused = await refusedInDoubt(room, principal);
  if (refused) return refused;
  const conversation = room.journal.conversation ?? born.value;
  const right = rightOf(principal, conversation);
  if (right === "none") return NOT_FOUND;
  if (!covers(right, needed)) {
    return fail(
      "forbidden",
      needed === "own"
        ? "Only the owner of a conversation can do this."
        : "You may read this conversation, not write in it.",
    );
  }
  return ok(conversation);
}

/** A new conversation's first moment; a second call finds it there already. */
export function create(
  room: Room,
  principal: Principal,
  conversation: Conversation,
  seed: Seed | null,
): Result<Conversation> {
  const { journal } = room;
  if (conversation.id !== room.id || rightOf(principal, journal.conversation ?? conversation) !== "own")
    return NOT_FOUND;
  if (seed && "log" in seed) return importInto(room, conversation, seed.log);
  if (!journal.conversation) journal.birth(conversation);
  if (journal.lastSeq > 0) return ok(journal.born); // a repetition; or it was read, and so born, a moment too early
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

function isRevoked(room: Room, credentialId: string): boolean {
  return room.storage.sql.exec("select 1 from revoked where credential_id = ?", credentialId).toArray().length > 0;
}
