import { EditMessage } from "../../../shared/contract/conversation.ts";
import { Message } from "../../../shared/contract/message.ts";
import { unwrap } from "../../../shared/domain/app-error.ts";
import { onceKeyOf } from "../../middleware/idempotency.ts";
import { defineRoute } from "../route.ts";

export const editMessage = defineRoute({
  method: "patch",
  path: "/api/conversations/{id}/messages/{messageId}",
  operationId: "editMessage",
  summary: "Says it differently: adds a sibling and moves the conversation to it",
  tag: "messages",
  ids: [
    { in: "path", name: "id", of: "conversation" },
    { in: "path", name: "messageId", of: "message" },
  ],
  errors: ["conflict", "busy", "idempotency_conflict"],
  body: EditMessage,
  answer: { status: 200, description: "The new message.", body: Message },
  handle: async (call) => {
    const { conversation, principal, params, body } = call;
    return unwrap(await conversation.edit(principal, params.messageId, body, await onceKeyOf(call)));
  },
});
