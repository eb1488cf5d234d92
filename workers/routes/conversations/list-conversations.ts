import { Conversation, ListConversations } from "../../../shared/contract/conversation.ts";
import { pageOf } from "../../../shared/contract/primitives.ts";
import { requireMembership } from "../../personal-workspace.ts";
import { defineRoute } from "../route.ts";

export const listConversations = defineRoute({
  method: "get",
  path: "/api/conversations",
  operationId: "listConversations",
  summary: "The caller's conversations and those shared with them, the latest first",
  tag: "conversations",
  ids: [{ in: "query", name: "workspaceId", of: "workspace" }],
  errors: ["not_found"],
  query: ListConversations,
  withoutDatabase:
    "The list of conversations is in the database, which cannot be reached right now. Conversations that are open go on; try again in a moment.",
  answer: { status: 200, description: "A page.", body: pageOf(Conversation) },
  handle: async ({ services, scope, query, signedIn }) => {
    if (query.workspaceId !== undefined) requireMembership(signedIn.workspaces, query.workspaceId);
    return await services.conversations.list(scope, query);
  },
});
