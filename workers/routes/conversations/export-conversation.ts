import * as z from "zod";
import { ConversationExport, ExportFormat } from "../../../shared/contract/conversation.ts";
import { unwrap } from "../../../shared/domain/app-error.ts";
import { exportMarkdown } from "../../../shared/domain/conversation/export-markdown.ts";
import { pathTo } from "../../../shared/domain/conversation/path.ts";
import { defineRoute } from "../route.ts";
import { attachmentNamed } from "./attachment-name.ts";

export const exportConversation = defineRoute({
  method: "get",
  path: "/api/conversations/{id}/export",
  operationId: "exportConversation",
  summary: "The conversation as a file: JSON with everything, or Markdown to read",
  tag: "conversations",
  ids: [{ in: "path", name: "id", of: "conversation" }],
  query: z.strictObject({ format: ExportFormat.default("json") }),
  answer: {
    status: 200,
    description: "The file.",
    body: ConversationExport,
    mediaTypes: ["application/json", "text/markdown"],
  },
  handle: async ({ conversation, principal, query }) => {
    const exported = unwrap(await conversation.export(principal));
    const { title } = exported.conversation;
    if (query.format === "markdown") {
      // Other branches are for the JSON form.
      const path = pathTo(
        new Map(exported.messages.map((message) => [message.id, message])),
        exported.conversation.headId,
      );
      return new Response(exportMarkdown(exported.conversation, path), {
        headers: {
          "content-type": "text/markdown; charset=utf-8",
          "content-disposition": attachmentNamed(title, "md"),
        },
      });
    }
    return Response.json(exported, { headers: { "content-disposition": attachmentNamed(title, "json") } });
  },
});
