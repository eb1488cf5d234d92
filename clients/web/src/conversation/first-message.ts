import { v7 as uuid } from "uuid";
import { pageOutbox, pageStorage } from "./page-outbox.ts";
import { refuseUnsendable } from "./sendable.ts";

/**
 * Puts the first message of a new conversation into its outbox, from where its client sends it: typed is kept, even
 * when the page goes away between creating the conversation and attaching to it. @throws ApiError where it could never
 * be sent.
 */
export async function keepFirstMessage(userId: string, conversationId: string, text: string): Promise<void> {
  refuseUnsendable(text);
  const id = uuid();
  const entry = { id, text, whenBusy: "queue", queuedAt: new Date().toISOString() };
  try {
    await pageOutbox(pageStorage, userId, conversationId).save(id, JSON.stringify(entry));
  } catch {
    // A browser that keeps nothing: the page itself hands it over.
  }
}
