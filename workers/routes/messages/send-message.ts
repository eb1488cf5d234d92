import { SendAccepted, SendMessage } from "../../../shared/contract/conversation.ts";
import { unwrap } from "../../../shared/domain/app-error.ts";
import { onceKeyOf } from "../../middleware/idempotency.ts";
import { forwardToObject } from "../conversations/forward-to-object.ts";
import { defineRoute } from "../route.ts";
import { messageIdFrom } from "./message-id.ts";

const wantsStream = (headers: Headers): boolean => (headers.get("accept") ?? "").includes("text/event-stream");

export const sendMessage = defineRoute({
  method: "post",
  path: "/api/conversations/{id}/messages",
  operationId: "sendMessage",
  summary: "Sends a message; with `Accept: text/event-stream` the answer streams back",
  tag: "messages",
  ids: [
    { in: "path", name: "id", of: "conversation" },
    { in: "body", name: "id", of: "message" },
    { in: "header", name: "Idempotency-Key", of: "message" },
  ],
  errors: ["busy", "idempotency_conflict", "conflict"],
  body: SendMessage,
  answer: {
    status: 202,
    description: "Accepted, which means durable.",
    body: SendAccepted,
    mediaTypes: ["application/json", "text/event-stream"],
  },
  handle: async (call) => {
    const { conversation, principal, services, request } = call;
    const id =
      call.body.id ?? messageIdFrom(call.params.id, principal.userId, call.idempotencyKey, () => services.newId());
    const body = { ...call.body, id };
    const once = await onceKeyOf(call);
    if (wantsStream(request.headers)) {
      const proof = { by: "principal", principal } as const;
      return await forwardToObject(conversation, call, { method: "POST", path: "/messages", proof, body, once });
    }
    const { messageId, seq, state, turnId } = unwrap(await conversation.send(principal, body, "api", once));
    return { messageId, seq, state, turnId };
  },
});
