import type { Conversation } from "../../../shared/contract/conversation.ts";
import { AppError, unwrap } from "../../../shared/domain/app-error.ts";
import type { Seed } from "../../../shared/ports/conversation-object.ts";
import type { NewConversation } from "../../../shared/ports/conversation-store.ts";
import type { SignedInCall } from "../route.ts";

type BirthCall = Pick<SignedInCall, "services" | "scope" | "rooms" | "principal" | "newId" | "idempotencyKey">;

/**
 * Writes the row, then brings the object to life. A birth that fails takes the row back, so that no list shows a
 * conversation that nobody can open. Under an `Idempotency-Key` it goes on where an earlier try was cut off.
 */
export async function bearConversation(
  call: BirthCall,
  row: Omit<NewConversation, "id" | "at">,
  seed: Seed | null,
): Promise<Conversation> {
  const { services, scope, rooms, principal, newId: id } = call;
  const { stored, isMine } = await writeRow(call, { ...row, id, at: services.now().toISOString() });
  try {
    return unwrap(await rooms.conversation(id).create(principal, stored, seed));
  } catch (error) {
    // The answer alone may be lost, or a repetition was quicker: then it lives.
    if (isMine && !(await rooms.conversation(id).isBorn())) await services.conversations.erase(scope, id);
    throw error;
  }
}

async function writeRow({ services, scope, idempotencyKey }: BirthCall, row: NewConversation) {
  try {
    return { stored: await services.conversations.create(scope, row), isMine: true };
  } catch (error) {
    if (idempotencyKey === undefined || !(error instanceof AppError) || error.code !== "conflict") throw error;
    const found = await services.conversations.find(scope, row.id);
    if (!found) throw error;
    return { stored: found.conversation, isMine: false };
  }
}
