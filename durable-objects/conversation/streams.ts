import { ExportFormat, SendMessage } from "../../shared/contract/conversation.ts";
import { errorFromZod, type Result } from "../../shared/contract/errors.ts";
import { SUBPROTOCOL } from "../../shared/contract/frames.ts";
import { Id } from "../../shared/contract/primitives.ts";
import type { Principal } from "../../shared/domain/access/principal.ts";
import { fail, ok } from "../../shared/domain/app-error.ts";
import { OBJECT_HEADERS, type OnceKey, type UpgradeProof } from "../../shared/ports/conversation-object.ts";
import { admit } from "./birth.ts";
import { streamEvents, streamTurn } from "./event-stream.ts";
import { exportConversation } from "./export-conversation.ts";
import { sendOnce } from "./once.ts";
import { type Attachment, principalOf } from "./reader.ts";
import type { Room } from "./room.ts";
import { broadcastSession } from "./session-info.ts";
import { Tickets } from "./tickets.ts";
import { asResult } from "./update.ts";

const NOT_FOUND = fail("not_found", "There is no such conversation.");

/** An answer of the object to the Worker that did not work out; the Worker turns it into problem+json. */
const refusal = (result: { error: unknown }): Response =>
  Response.json(result.error, { status: 400, headers: { [OBJECT_HEADERS.refused]: "1" } });

/** The streams of a conversation: the socket, all events, one turn, the file of it. Only the Worker can call this. */
export async function serveStream(room: Room, request: Request): Promise<Response> {
  const url = new URL(request.url);
  const proof = JSON.parse(request.headers.get(OBJECT_HEADERS.principal) ?? "null") as UpgradeProof | null;
  if (!proof) return refusal(fail("unauthenticated", "Sign in first."));
  if (url.pathname === "/socket") return await openSocket(room, request, proof);
  if (proof.by !== "principal") return refusal(fail("unauthenticated", "A ticket opens a socket only."));
  if (url.pathname === "/events") {
    const admitted = await admit(room, proof.principal, "read");
    if (!admitted.ok) return refusal(admitted);
    const after = Number(url.searchParams.get("after") ?? 0);
    return await openEvents(room, proof.principal, Number.isSafeInteger(after) && after >= 0 ? after : 0);
  }
  if (url.pathname === "/export") {
    const admitted = await admit(room, proof.principal, "read");
    if (!admitted.ok) return refusal(admitted);
    room.attachments.note(proof.principal);
    return exportConversation(room, ExportFormat.parse(url.searchParams.get("format")));
  }
  const once = JSON.parse(request.headers.get(OBJECT_HEADERS.once) ?? "null") as OnceKey | null;
  return await sendAndStream(room, proof.principal, await request.json(), once);
}

async function openEvents(room: Room, principal: Principal, after: number): Promise<Response> {
  const attachment = attachmentFor(room, principal);
  const response = streamEvents(room, attachment, after);
  if (await room.attachments.attach(attachment, principal)) return response;
  await response.body?.cancel();
  return refusal(NOT_FOUND);
}

async function sendAndStream(room: Room, principal: Principal, body: unknown, once: OnceKey | null): Promise<Response> {
  const admitted = await admit(room, principal, "write");
  if (!admitted.ok) return refusal(admitted);
  const parsed = SendMessage.safeParse(body);
  if (!parsed.success) return refusal({ error: errorFromZod(parsed.error) });
  const id = Id.parse(parsed.data.id ?? room.services.newId());
  const sent = sendOnce(room, principal, { ...parsed.data, id }, "api", once);
  if (!sent.ok) return refusal(sent);
  const { messageId, seq, state, duplicate, turnId } = sent.value;
  const attachment = attachmentFor(room, principal);
  const ack = { type: "ack", id: messageId, seq, state, duplicate } as const;
  const response = streamTurn(room, attachment, { messageId, turnId, ack });
  // Not waited for: an answer is short, and its first token should not be late for this.
  room.background(room.attachments.attach(attachment, principal));
  return response;
}

async function openSocket(room: Room, request: Request, proof: UpgradeProof): Promise<Response> {
  const offered = (request.headers.get("sec-websocket-protocol") ?? "")
    .split(",")
    .map((each) => each.trim())
    .filter(Boolean);
  if (offered.length > 0 && !offered.includes(SUBPROTOCOL)) {
    return refusal(fail("invalid_request", `This server speaks the subprotocol ${SUBPROTOCOL}; update the client.`));
  }
  const admitted = proof.by === "ticket" ? await admitTicket(room, proof) : await admitPrincipal(room, proof.principal);
  if (!admitted.ok) return refusal(admitted);
  const { 0: client, 1: server } = new WebSocketPair();
  const { value } = admitted;
  room.sessions.accept(server, value);
  if (!(await room.attachments.attach(value, proof.by === "principal" ? proof.principal : null))) {
    forgetSocket(room, server);
    server.close();
    return refusal(NOT_FOUND);
  }
  const headers: HeadersInit = offered.length > 0 ? { "sec-websocket-protocol": SUBPROTOCOL } : {};
  return new Response(null, { status: 101, webSocket: client, headers });
}

async function admitPrincipal(room: Room, principal: Principal): Promise<Result<Attachment>> {
  const admitted = await admit(room, principal, "read");
  return admitted.ok ? ok(attachmentFor(room, principal)) : admitted;
}

/** A ticket is worth nothing in an object that was never born, and where its owner lost access meanwhile. */
async function admitTicket(room: Room, proof: { ticket: string; origin: string | null }): Promise<Result<Attachment>> {
  const refused = fail("unauthenticated", "This ticket is used, expired or for another page; ask for a new one.");
  if (!room.journal.conversation) return refused;
  const attachment = await new Tickets(room.storage.sql, room.services.now).redeem(proof.ticket, proof.origin);
  if (!attachment) return refused;
  const admitted = await admit(room, principalOf(attachment), "read");
  return admitted.ok ? ok({ ...attachment, id: room.services.newId() }) : refused;
}

/** A single-use key to this conversation's socket. */
export function issueTicket(
  room: Room,
  principal: Principal,
  origin: string | null,
): Promise<Result<{ ticket: string; expiresAt: string }>> {
  return asResult(async () => {
    const attachment = attachmentFor(room, principal);
    const ticket = await new Tickets(room.storage.sql, room.services.now).issue({ attachment, origin });
    return (await room.attachments.attach(attachment, principal)) ? ok(ticket) : NOT_FOUND;
  });
}

/** A socket is gone. */
export function forgetSocket(room: Room, socket: WebSocket): void {
  const gone = room.sessions.forget(socket);
  if (!room.journal.conversation) return;
  broadcastSession(room);
  room.attachments.detach(gone);
}

function attachmentFor(room: Room, principal: Principal): Attachment {
  const { workspaceId } = room.journal.born;
  return {
    id: room.services.newId(),
    userId: principal.userId,
    name: principal.name.slice(0, 100),
    credentialId: principal.credentialId,
    credential: principal.credential,
    workspaceId,
    role: principal.workspaces.find((workspace) => workspace.id === workspaceId)?.role ?? "viewer",
    expiresAt: principal.expiresAt,
    kind: null,
  };
}
