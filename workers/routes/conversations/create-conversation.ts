import { Conversation, CreateConversation } from "../../../shared/contract/conversation.ts";
import { DEFAULT_TITLE } from "../../../shared/domain/conversation/title.ts";
import { personalWorkspaceId, requireEditor } from "../../personal-workspace.ts";
import { namedModel } from "../models/named-model.ts";
import { defineRoute } from "../route.ts";
import { bearConversation } from "./bear-conversation.ts";
import { requireNoAgent } from "./require-no-agent.ts";

export const createConversation = defineRoute({
  method: "post",
  path: "/api/conversations",
  operationId: "createConversation",
  summary: "Starts a conversation",
  tag: "conversations",
  ids: [
    { in: "body", name: "workspaceId", of: "workspace" },
    { in: "body", name: "agentId", of: "agent" },
    { in: "body", name: "personalityId", of: "personality" },
  ],
  errors: ["not_found", "forbidden"],
  body: CreateConversation,
  bodyOptional: true,
  idempotent: true,
  versioned: true,
  withoutDatabase:
    "A new conversation needs the database, which cannot be reached right now. Those that are open go on; try again in a moment.",
  answer: { status: 201, description: "The new conversation.", body: Conversation },
  handle: async (call) => {
    const { body, signedIn } = call;
    const workspaceId = body.workspaceId ?? personalWorkspaceId(signedIn.workspaces);
    requireEditor(signedIn.workspaces, workspaceId);
    requireNoAgent(body);
    return await bearConversation(
      call,
      {
        workspaceId,
        title: body.title ?? DEFAULT_TITLE,
        model: body.model === undefined ? null : await namedModel(call, workspaceId, body.model),
        agentId: null,
        personalityId: null,
        forkedFrom: null,
      },
      null,
    );
  },
});
