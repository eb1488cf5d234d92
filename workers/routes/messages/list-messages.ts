import { ListMessages } from "../../../shared/contract/conversation.ts";
import { Message } from "../../../shared/contract/message.ts";
import { pageOf } from "../../../shared/contract/primitives.ts";
import { unwrap } from "../../../shared/domain/app-error.ts";
import { defineRoute } from "../route.ts";

export const listMessages = defineRoute({
  method: "get",
  path: "/api/conversations/{id}/messages",
  operationId: "listMessages",
  summary: "Messages of the active path, or of all branches, in order",
  tag: "messages",
  ids: [{ in: "path", name: "id", of: "conversation" }],
  query: ListMessages,
  answer: { status: 200, description: "A page.", body: pageOf(Message) },
  handle: async ({ conversation, principal, query }) => unwrap(await conversation.messages(principal, query)),
});
