import * as z from "zod";
import { Text } from "../../../shared/contract/primitives.ts";
import { AppError } from "../../../shared/domain/app-error.ts";
import type { ConversationObject, UpgradeProof } from "../../../shared/ports/conversation-object.ts";
import { checkOrigin } from "../../middleware/origin.ts";
import { requireSignInFor } from "../../middleware/sign-in.ts";
import { type Call, defineOpenRoute } from "../route.ts";
import { forwardToObject } from "./forward-to-object.ts";

/** A ticket is judged by the object that made it; a cookie counts only from the instance's own pages. */
async function prove(
  { request, services }: Pick<Call, "request" | "services">,
  conversation: ConversationObject,
  ticket: string | undefined,
) {
  const { headers } = request;
  if (ticket !== undefined) return { by: "ticket", ticket, origin: headers.get("origin") } satisfies UpgradeProof;
  const caller = await requireSignInFor(services, headers, conversation);
  const { via, principal } = caller.fresh ?? caller.recalled;
  if (via === "cookie") checkOrigin(services.settings, request, { upgrade: true });
  return { by: "principal", principal } satisfies UpgradeProof;
}

export const openSocket = defineOpenRoute({
  method: "get",
  path: "/api/conversations/{id}/socket",
  operationId: "openSocket",
  summary: "The live session: a WebSocket with the subprotocol `mosaic.v1`",
  tag: "conversations",
  signIn: "ticket",
  ids: [
    { in: "path", name: "id", of: "conversation" },
    { in: "query", name: "ticket", of: "ticket" },
  ],
  errors: ["unauthenticated", "expired", "forbidden", "not_found"],
  query: z.strictObject({ ticket: Text.pipe(z.string().min(1).max(512)).optional() }),
  answer: { status: 101, description: "The socket is open." },
  handle: async (call) => {
    const upgrade = call.request.headers.get("upgrade")?.toLowerCase() === "websocket";
    const conversation = call.rooms.conversation(call.params.id);
    const proof =
      upgrade || call.query.ticket === undefined ? await prove(call, conversation, call.query.ticket) : null;
    if (!upgrade || proof === null) {
      throw new AppError(
        "invalid_request",
        "This address is a WebSocket; connect with `Upgrade: websocket` and the subprotocol `mosaic.v1`.",
      );
    }
    return await forwardToObject(conversation, call, {
      method: "GET",
      path: "/socket",
      proof,
    });
  },
});
