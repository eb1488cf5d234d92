import { Conversation, ForkConversation } from "../../../shared/contract/conversation.ts";
import { unwrap } from "../../../shared/domain/app-error.ts";
import { defineRoute } from "../route.ts";

export const forkConversation = defineRoute({
  method: "post",
  path: "/api/conversations/{id}/fork",
  operationId: "forkConversation",
  summary: "Copies a conversation through one of its messages into a new one",
  tag: "conversations",
  ids: [
    { in: "path", name: "id", of: "conversation" },
    { in: "body", name: "messageId", of: "message" },
  ],
  errors: ["forbidden"],
  body: ForkConversation,
  idempotent: true,
  versioned: true,
  withoutDatabase:
    "A new conversation needs the database, which cannot be reached right now. This one goes on; try again in a moment.",
  answer: { status: 201, description: "The new conversation.", body: Conversation },
  handle: async ({ conversation, principal, body, newId }) =>
    unwrap(await conversation.fork(principal, body.messageId, newId)),
});
