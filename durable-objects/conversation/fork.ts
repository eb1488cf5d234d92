import type { Conversation } from "../../shared/contract/conversation.ts";
import type { Result } from "../../shared/contract/errors.ts";
import type { Message } from "../../shared/contract/message.ts";
import type { Principal } from "../../shared/domain/access/principal.ts";
import { AppError, fail } from "../../shared/domain/app-error.ts";
import { copyPath } from "../../shared/domain/conversation/copy-path.ts";
import type { ConversationStore, NewConversation, Scope } from "../../shared/ports/conversation-store.ts";
import { conversationObject } from "../stubs.ts";
import type { Room } from "./room.ts";
import { asResult } from "./update.ts";

/** The messages from the first one through `messageId`, deleted ones left out; null when there is no such message. */
export function pathThrough(room: Pick<Room, "journal">, messageId: string): Message[] | null {
  const stored = room.journal.message(messageId);
  if (!stored || stored.deleted) return null;
  return [...room.journal.pathBack(messageId)].flatMap((each) => (each.deleted ? [] : [each.message])).reverse();
}

/** Copies the conversation through a message into a new one that the principal owns, or finds it made already. */
export function forkInto(
  room: Room,
  principal: Principal,
  messageId: string,
  id: string = room.services.newId(),
): Promise<Result<Conversation>> {
  return asResult(async () => {
    const { journal, services, env } = room;
    const source = journal.born;
    if (principal.workspaces.some(({ id, role }) => id === source.workspaceId && role === "viewer"))
      return fail("forbidden", "You may read what is shared in this workspace, not start conversations there.");
    const path = pathThrough(room, messageId);
    if (!path) return fail("not_found", "There is no such message in this conversation.");
    const created = await createOrFind(
      services.conversations,
      { userId: principal.userId },
      {
        id,
        workspaceId: source.workspaceId,
        title: `${[...source.title].slice(0, 190).join("")} (fork)`,
        model: source.model,
        agentId: source.agentId,
        personalityId: source.personalityId,
        forkedFrom: { conversationId: source.id, messageId },
        at: services.now().toISOString(),
      },
    );
    return await conversationObject(env, created.id).create(
      principal,
      created,
      copyPath(path, { conversationId: source.id, userId: principal.userId }, services.newId),
    );
  });
}

/** A try under the same `Idempotency-Key` that was cut off may have written the row. */
async function createOrFind(store: ConversationStore, scope: Scope, row: NewConversation): Promise<Conversation> {
  try {
    return await store.create(scope, row);
  } catch (error) {
    const found = error instanceof AppError && error.code === "conflict" ? await store.find(scope, row.id) : null;
    if (!found) throw error;
    return found.conversation;
  }
}
