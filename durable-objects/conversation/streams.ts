import { SendMessage } from "../../shared/contract/conversation.ts";
import { errorFromZod, type Result } from "../../shared/contract/errors.ts";
import { SUBPROTOCOL } from "../../shared/contract/frames.ts";
import { Id } from "../../shared/contract/primitives.ts";
import type { Principal } from "../../shared/domain/access/principal.ts";
import { fail, ok } from "../../shared/domain/app-error.ts";
import { OBJECT_HEADERS, type UpgradeProof } from "../../shared/ports/conversation-object.ts";
import { admit } from "./birth.ts";
import { streamEvents, streamTurn } from "./event-stream.ts";
import { sendMessage } from "./messages.ts";
import type { Room } from "./room.ts";
import { broadcastSession } from "./session-info.ts";
import type { Attachment } from "./sessions.ts";
import { Tickets } from "./tickets.ts";

/** An answer of the object to the Worker that did not work out; the Worker turns it into problem+json. */
const refusal = (result: { error: unknown }): Response =>
  Response.json(result.error, { status: 400, headers: { [OBJECT_HEADERS.refused]: "1" } });

/** The streams of a conversation: the socket, all events, one turn. Only the Worker can call this. */
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
    return streamEvents(room, Number.isSafeInteger(after) && after >= 0 ? after : 0);
  }
  return await sendAndStream(room, proof.principal, await request.json());
}

async function sendAndStream(room: Room, principal: Principal, body: unknown): Promise<Response> {
  const admitted = await admit(room, principal, "write");
  if (!admitted.ok) return refusal(admitted);
  const parsed = SendMessage.safeParse(body);
  if (!parsed.success) return refusal({ error: errorFromZod(parsed.error) });
  const id = Id.parse(parsed.data.id ?? room.services.newId());
  const sent = sendMessage(room, principal, id, parsed.data, "api");
  if (!sent.ok) return refusal(sent);
  const { seq, state, duplicate, turnId } = sent.value;
  return streamTurn(room, { messageId: id, turnId, ack: { type: "ack", id, seq, state, duplicate } });
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
  room.background(room.services.accounts.recordAttachment({ userId: value.userId }, room.id, value.credentialId));
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
  return attachment ? ok({ ...attachment, id: room.services.newId() }) : refused;
}

/** A single-use key to this conversation's socket. */
export async function issueTicket(
  room: Room,
  principal: Principal,
  origin: string | null,
): Promise<Result<{ ticket: string; expiresAt: string }>> {
  const tickets = new Tickets(room.storage.sql, room.services.now);
  return ok(await tickets.issue({ attachment: attachmentFor(room, principal), origin }));
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

/** A socket is gone. When it was the last of its credential here, a revocation need not look for it any more. */
export function detach(room: Room, socket: WebSocket): void {
  const gone = room.sessions.forget(socket);
  if (!gone || !room.journal.conversation) return;
  broadcastSession(room);
  if (room.sessions.has((each) => each.credentialId === gone.credentialId)) return;
  room.background(room.services.accounts.removeAttachment({ userId: gone.userId }, room.id, gone.credentialId));
}
