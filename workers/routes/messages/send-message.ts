import type * as z from "zod";
import { SendAccepted, SendMessage } from "../../../shared/contract/conversation.ts";
import { unwrap } from "../../../shared/domain/app-error.ts";
import { fingerprintOf, keyReused } from "../../middleware/idempotency.ts";
import { forwardToObject } from "../conversations/forward-to-object.ts";
import { defineRoute, type SignedInCall } from "../route.ts";
import { messageIdFrom } from "./message-id.ts";

type Accepted = z.infer<typeof SendAccepted>;
type SendCall = SignedInCall<"/api/conversations/{id}/messages", unknown, SendMessage>;

const wantsStream = (headers: Headers): boolean => (headers.get("accept") ?? "").includes("text/event-stream");

/**
 * Sends under an `Idempotency-Key`. Unlike other writes a first try that is still open, or was cut off, may run again
 * beside it: the object takes a message id once. The key remembers the body it stands for, and the first answer.
 */
async function sendOnce<Sent extends Accepted | Response>(
  call: SendCall,
  key: string,
  send: () => Promise<Sent>,
): Promise<Sent | Accepted> {
  const { idempotency } = call.services;
  const known = await idempotency.begin(call.scope, key, await fingerprintOf(call.body));
  if (known.state === "different") throw keyReused();
  const first = known.state === "done" ? SendAccepted.safeParse(known.body) : undefined;
  if (first?.success && !wantsStream(call.request.headers)) return first.data;
  try {
    const sent = await send();
    await idempotency.finish(call.scope, key, 202, sent instanceof Response ? null : sent);
    return sent;
  } catch (error) {
    await idempotency.abandon(call.scope, key);
    throw error;
  }
}

async function send(call: SendCall): Promise<Accepted | Response> {
  const { conversation, principal, services, request } = call;
  const id = call.body.id ?? messageIdFrom(call.params.id, call.idempotencyKey, () => services.newId());
  const body = { ...call.body, id };
  if (wantsStream(request.headers)) {
    const proof = { by: "principal", principal } as const;
    return await forwardToObject(conversation, call, { method: "POST", path: "/messages", proof, body });
  }
  const { messageId, seq, state, turnId } = unwrap(await conversation.send(principal, body, "api"));
  return { messageId, seq, state, turnId };
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
    if (call.idempotencyKey === undefined) return await send(call);
    const key = `POST /api/conversations/${call.params.id}/messages ${call.idempotencyKey}`;
    return await sendOnce(call, key, () => send(call));
  },
});
