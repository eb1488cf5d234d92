import { Conversation } from "../../../shared/contract/conversation.ts";
import { unwrap } from "../../../shared/domain/app-error.ts";
import { defineRoute } from "../route.ts";

export const getConversation = defineRoute({
  method: "get",
  path: "/api/conversations/{id}",
  operationId: "getConversation",
  summary: "Reads a conversation, without its messages",
  tag: "conversations",
  ids: [{ in: "path", name: "id", of: "conversation" }],
  versioned: true,
  answer: { status: 200, description: "The conversation.", body: Conversation },
  handle: async ({ conversation, principal }) => unwrap(await conversation.describe(principal)),
});
