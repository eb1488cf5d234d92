import * as z from "zod";
import { ConversationExport, ExportFormat } from "../../../shared/contract/conversation.ts";
import { unwrap } from "../../../shared/domain/app-error.ts";
import { defineRoute } from "../route.ts";
import { attachmentNamed } from "./attachment-name.ts";
import { exportFile } from "./export-file.ts";

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
  handle: async (call) => {
    const { conversation, principal, query } = call;
    const { title } = unwrap(await conversation.describe(principal));
    const { body } = await exportFile(conversation, call, query.format);
    const [mediaType, extension] =
      query.format === "markdown" ? ["text/markdown; charset=utf-8", "md"] : ["application/json", "json"];
    return new Response(body, {
      headers: { "content-type": mediaType, "content-disposition": attachmentNamed(title, extension) },
    });
  },
});
