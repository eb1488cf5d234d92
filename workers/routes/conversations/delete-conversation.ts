import { unwrap } from "../../../shared/domain/app-error.ts";
import { defineRoute } from "../route.ts";

export const deleteConversation = defineRoute({
  method: "delete",
  path: "/api/conversations/{id}",
  operationId: "deleteConversation",
  summary: "Deletes a conversation with everything in it; there is no way back",
  tag: "conversations",
  ids: [{ in: "path", name: "id", of: "conversation" }],
  errors: ["version_conflict", "forbidden"],
  versioned: true,
  withoutDatabase:
    "Deleting a conversation needs the database, which cannot be reached right now. Nothing was deleted; try again in a moment.",
  answer: { status: 204, description: "Gone." },
  handle: async ({ conversation, principal, ifVersion }) => {
    unwrap(await conversation.remove(principal, ifVersion));
    return undefined;
  },
});
