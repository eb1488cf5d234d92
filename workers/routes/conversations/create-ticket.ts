import { Ticket } from "../../../shared/contract/conversation.ts";
import { unwrap } from "../../../shared/domain/app-error.ts";
import { defineRoute } from "../route.ts";

export const createTicket = defineRoute({
  method: "post",
  path: "/api/conversations/{id}/tickets",
  operationId: "createTicket",
  summary: "A single-use ticket for the socket, good for 30 seconds and for this origin",
  tag: "conversations",
  ids: [{ in: "path", name: "id", of: "conversation" }],
  answer: { status: 201, description: "The ticket.", body: Ticket },
  handle: async ({ conversation, principal, request }) =>
    unwrap(await conversation.ticket(principal, request.headers.get("origin"))),
});
