import { ApiError } from "../../shared/client/api-error.ts";
import { type OutboxStorage, parseOutbox } from "../../shared/client/outbox.ts";
import type { Server } from "./open-conversation.ts";

/**
 * Sends what earlier runs left in the outboxes of these conversations; each message is stored once however often it
 * is sent. Answers how many went out. What cannot be sent now stays for the next start.
 */
export async function resendLeftovers(
  { api }: Server,
  conversationIds: readonly string[],
  outboxOf: (conversationId: string) => OutboxStorage,
): Promise<number> {
  let sent = 0;
  for (const conversationId of conversationIds) {
    const storage = outboxOf(conversationId);
    for (const { queuedAt: _, refused, ...body } of parseOutbox(await storage.load())) {
      if (refused) continue;
      try {
        await api.messages.send(conversationId, body);
        await storage.remove(body.id);
        sent += 1;
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
      }
    }
  }
  return sent;
}
