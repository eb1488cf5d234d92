import * as z from "zod";
import { StopTurn } from "../../../shared/contract/conversation.ts";
import { unwrap } from "../../../shared/domain/app-error.ts";
import { defineRoute } from "../route.ts";

export const stopTurn = defineRoute({
  method: "post",
  path: "/api/conversations/{id}/stop",
  operationId: "stopTurn",
  summary: "Stops the running answer, or the one that is named",
  tag: "conversations",
  ids: [
    { in: "path", name: "id", of: "conversation" },
    { in: "body", name: "turnId", of: "turn" },
  ],
  body: StopTurn,
  bodyOptional: true,
  answer: { status: 200, description: "Whether there was one to stop.", body: z.object({ stopped: z.boolean() }) },
  handle: async ({ conversation, principal, body }) => unwrap(await conversation.stop(principal, body.turnId)),
});
