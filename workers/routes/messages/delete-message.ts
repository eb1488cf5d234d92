import { unwrap } from "../../../shared/domain/app-error.ts";
import { defineRoute } from "../route.ts";

export const deleteMessage = defineRoute({
  method: "delete",
  path: "/api/conversations/{id}/messages/{messageId}",
  operationId: "deleteMessage",
  summary: "Deletes what a message says; its place in the conversation stays",
  tag: "messages",
  ids: [
    { in: "path", name: "id", of: "conversation" },
    { in: "path", name: "messageId", of: "message" },
  ],
  answer: { status: 204, description: "Gone." },
  handle: async ({ conversation, principal, params }) => {
    unwrap(await conversation.deleteMessage(principal, params.messageId));
    return undefined;
  },
});
