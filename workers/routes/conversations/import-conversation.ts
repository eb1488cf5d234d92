import { Conversation, ImportConversation } from "../../../shared/contract/conversation.ts";
import { importLog } from "../../../shared/domain/conversation/import-log.ts";
import { personalWorkspaceId } from "../../personal-workspace.ts";
import { defineRoute } from "../route.ts";
import { bearConversation } from "./bear-conversation.ts";

/** An isolate has 128 MB, and must hold the file as bytes, as text, as values and as the new log; an export is a stream. */
const MAX_IMPORT_BYTES = 16 * 1024 * 1024;

export const importConversation = defineRoute({
  method: "post",
  path: "/api/conversations/import",
  operationId: "importConversation",
  summary:
    "Makes an equal conversation from the JSON of an export: your own, private, under new ids. Takes at most 16 MiB, while an export may be of any size",
  tag: "conversations",
  withoutDatabase:
    "A conversation cannot be imported while the database is away; nothing of it was kept, try again in a moment.",
  body: ImportConversation,
  maxBodyBytes: MAX_IMPORT_BYTES,
  idempotent: true,
  versioned: true,
  answer: { status: 201, description: "The new conversation.", body: Conversation },
  handle: async (call) => {
    const { services, scope, signedIn } = call;
    const { log, title, model, forkedFrom } = importLog(call.body, {
      userId: scope.userId,
      at: services.now().toISOString(),
      newId: services.newId,
    });
    const workspaceId = personalWorkspaceId(signedIn.workspaces);
    const row = { workspaceId, title, model, agentId: null, personalityId: null, forkedFrom };
    return await bearConversation(call, row, { log: new TextEncoder().encode(JSON.stringify(log)) });
  },
});
