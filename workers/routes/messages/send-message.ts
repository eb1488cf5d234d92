import { SendAccepted, SendMessage } from "../../../shared/contract/conversation.ts";
import { unwrap } from "../../../shared/domain/app-error.ts";
import { fingerprintOf, keyReused } from "../../middleware/idempotency.ts";
import { forwardToObject } from "../conversations/forward-to-object.ts";
import { defineRoute, type SignedInCall } from "../route.ts";
import { messageIdFrom } from "./message-id.ts";

const wantsStream = (headers: Headers): boolean => (headers.get("accept") ?? "").includes("text/event-stream");

/**
 * The object already runs a message id at most once, so the key only has to betray another body: a first try that was
 * cut off must be able to run again.
 */
async function refuseOtherBody(call: SignedInCall): Promise<void> {
  const { idempotencyKey, services, scope, params, body } = call;
  if (idempotencyKey === undefined) return;
  const key = `POST /api/conversations/${Object.values(params)[0]}/messages ${idempotencyKey}`;
  const known = await services.idempotency.begin(scope, key, await fingerprintOf(body));
  if (known.state === "different") throw keyReused();
}

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
    await refuseOtherBody(call);
    const id = call.body.id ?? messageIdFrom(call.params.id, call.idempotencyKey, () => services.newId());
    const body = { ...call.body, id };
    if (wantsStream(request.headers)) {
      const proof = { by: "principal", principal } as const;
      return await forwardToObject(conversation, call, { method: "POST", path: "/messages", proof, body });
    }
    const { messageId, seq, state, turnId } = unwrap(await conversation.send(principal, body, "api"));
    return { messageId, seq, state, turnId };
  },
});
