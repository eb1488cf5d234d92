import type { ConversationObject } from "../shared/ports/conversation-object.ts";

/** The bindings of the Worker that are not settings. */
export interface Bindings {
  CONVERSATION: DurableObjectNamespace;
  ASSETS: Fetcher;
  /** The self-hosted stack's letter box: POST a `Mail` as JSON. Absent on Cloudflare. */
  MAILBOX?: Fetcher;
}

/** The only place that turns env into typed stubs. A conversation's object is named by its id. */
export function conversationObject(env: Pick<Bindings, "CONVERSATION">, conversationId: string): ConversationObject {
  const stub = env.CONVERSATION.get(env.CONVERSATION.idFromName(conversationId));
  return stub as unknown as ConversationObject;
}
