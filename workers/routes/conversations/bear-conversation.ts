import type { Conversation } from "../../../shared/contract/conversation.ts";
import { unwrap } from "../../../shared/domain/app-error.ts";
import type { Seed } from "../../../shared/ports/conversation-object.ts";
import type { NewConversation } from "../../../shared/ports/conversation-store.ts";
import type { SignedInCall } from "../route.ts";

/**
 * Writes the row, then brings the object to life. A birth that fails takes the row back, so that no list shows a
 * conversation that nobody can open.
 */
export async function bearConversation(
  call: Pick<SignedInCall, "services" | "scope" | "rooms" | "principal">,
  row: Omit<NewConversation, "id" | "at">,
  seed: Seed | null,
): Promise<Conversation> {
  const { services, scope, rooms, principal } = call;
  const stored = await services.conversations.create(scope, {
    ...row,
    id: services.newId(),
    at: services.now().toISOString(),
  });
  try {
    return unwrap(await rooms.conversation(stored.id).create(principal, stored, seed));
  } catch (error) {
    await services.conversations.erase(scope, stored.id);
    throw error;
  }
}
