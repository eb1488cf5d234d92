import type { ExportFormat } from "../../../shared/contract/conversation.ts";
import type { ConversationObject } from "../../../shared/ports/conversation-object.ts";
import type { SignedInCall } from "../route.ts";
import { forwardToObject } from "./forward-to-object.ts";

/** A conversation's file as a stream: it may be larger than what fits into memory. @throws AppError `not_found` */
export const exportFile = (
  object: ConversationObject,
  call: Pick<SignedInCall, "request" | "requestId" | "traceparent" | "principal">,
  format: ExportFormat,
): Promise<Response> =>
  forwardToObject(object, call, {
    method: "GET",
    path: `/export?format=${format}`,
    proof: { by: "principal", principal: call.principal },
  });
