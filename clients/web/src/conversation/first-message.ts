import { v7 as uuid } from "uuid";
import { browserOutbox } from "../../../../shared/client/outbox.ts";
import { refuseUnsendable } from "./sendable.ts";

/**
 * Puts the first message of a new conversation into its outbox, from where its client sends it: typed is kept, even
 * when the page goes away between creating the conversation and attaching to it. @throws ApiError where it could never
 * be sent.
 */
export function keepFirstMessage(conversationId: string, text: string): void {
  refuseUnsendable(text);
  const id = uuid();
  const entry = { id, text, whenBusy: "queue", queuedAt: new Date().toISOString() };
  void browserOutbox(localStorage, conversationId).save(id, JSON.stringify(entry));
}
