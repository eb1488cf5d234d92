import { ConversationContext } from "../../../shared/contract/conversation.ts";
import { unwrap } from "../../../shared/domain/app-error.ts";
import { defineRoute } from "../route.ts";

export const getContext = defineRoute({
  method: "get",
  path: "/api/conversations/{id}/context",
  operationId: "getContext",
  summary: "What fills the model's window at the next message",
  tag: "conversations",
  ids: [{ in: "path", name: "id", of: "conversation" }],
  answer: { status: 200, description: "Tokens and messages.", body: ConversationContext },
  handle: async ({ conversation, principal }) => unwrap(await conversation.context(principal)),
});
