import { Conversation, UpdateConversation } from "../../../shared/contract/conversation.ts";
import { unwrap } from "../../../shared/domain/app-error.ts";
import { defineRoute } from "../route.ts";

export const updateConversation = defineRoute({
  method: "patch",
  path: "/api/conversations/{id}",
  operationId: "updateConversation",
  summary: "Renames, shares or pins the model of a conversation",
  tag: "conversations",
  ids: [{ in: "path", name: "id", of: "conversation" }],
  errors: ["version_conflict", "forbidden"],
  body: UpdateConversation,
  versioned: true,
  withoutDatabase:
    "Renaming, sharing and pinning a model need the database, which cannot be reached right now. Messages go on; try this again in a moment.",
  answer: { status: 200, description: "The conversation as it is now.", body: Conversation },
  handle: async ({ conversation, principal, body, ifVersion }) =>
    unwrap(await conversation.update(principal, body, ifVersion)),
});
