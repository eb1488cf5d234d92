import * as z from "zod";
import { AppError } from "../../../shared/domain/app-error.ts";
import { defineRoute } from "../route.ts";
import { forwardToObject } from "./forward-to-object.ts";

/** Where a reader left off. A reconnecting `EventSource` repeats its first URL, so its header is the newer word. */
function resumeAfter(header: string | null, after: number | undefined): number | undefined {
  if (header === null || header === "") return after;
  if (/^\d{1,15}$/.test(header)) return Number(header);
  const message = "is the `id:` of the last event that arrived, a whole number";
  throw new AppError("invalid_request", `\`Last-Event-ID\`: ${message}`, {
    errors: [{ path: "Last-Event-ID", message }],
  });
}

export const streamEvents = defineRoute({
  method: "get",
  path: "/api/conversations/{id}/events",
  operationId: "streamEvents",
  summary: "All frames of the conversation as server-sent events; `Last-Event-ID` resumes",
  tag: "conversations",
  ids: [{ in: "path", name: "id", of: "conversation" }],
  query: z.strictObject({ after: z.coerce.number().int().nonnegative().optional() }),
  answer: { status: 200, description: "A stream of frames.", mediaTypes: ["text/event-stream"] },
  handle: async (call) => {
    const after = resumeAfter(call.request.headers.get("last-event-id"), call.query.after);
    return await forwardToObject(call.conversation, call, {
      method: "GET",
      path: after === undefined ? "/events" : `/events?after=${after}`,
      proof: { by: "principal", principal: call.principal },
    });
  },
});
