import type { ApiClient } from "./api-client.ts";
import { ApiError } from "./api-error.ts";
import { type OutboxStorage, parseOutbox } from "./outbox.ts";

/**
 * Sends what earlier runs left in the outboxes of these conversations, in each in its order; a message is stored once
 * however often it is sent. Answers how many went out. What cannot be sent now, and what was written after it, stays
 * for the next start.
 */
export async function resendLeftovers(
  api: { messages: Pick<ApiClient["messages"], "send"> },
  conversationIds: readonly string[],
  outboxOf: (conversationId: string) => OutboxStorage,
): Promise<number> {
  let sent = 0;
  for (const conversationId of conversationIds) {
    const storage = outboxOf(conversationId);
    for (const { queuedAt: _queuedAt, place: _place, refused, ...body } of parseOutbox(await storage.load())) {
      if (refused) continue;
      try {
        await api.messages.send(conversationId, body);
        await storage.remove(body.id);
        sent += 1;
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        // What is refused for good is told where its conversation is open; it holds up nothing.
        if (error.retryable || (error.code === "busy" && body.whenBusy !== "reject")) break;
      }
    }
  }
  return sent;
}
