import type { PublicError } from "../../shared/contract/errors.ts";
import { CLOSE, type ClientFrame, decodeClientFrame, PROTOCOL_VERSION } from "../../shared/contract/frames.ts";
import { covers, rightOf } from "../../shared/domain/access/authorise.ts";
import { fail } from "../../shared/domain/app-error.ts";
import { executeCommand } from "./commands.ts";
import { sendMessage } from "./messages.ts";
import { type Attachment, principalOf } from "./reader.ts";
import type { Room } from "./room.ts";
import { broadcastSession, sessionInfo } from "./session-info.ts";

/** What this server can do, for clients that adapt. */
const FEATURES = ["resume", "snapshot", "queue", "steer", "tools", "commands", "branches"];

/** One frame from a socket. Whatever is wrong with it is answered; only a client that may not be here is closed. */
export async function handleFrame(room: Room, socket: WebSocket, data: string | ArrayBuffer): Promise<void> {
  const { sessions, journal } = room;
  const attachment = sessions.attachmentOf(socket);
  if (!attachment || !journal.conversation) return;
  if (sessions.floods(socket))
    return sessions.closeSocket(socket, CLOSE.tooSlow, "too many frames; slow down and resume");
  if (attachment.expiresAt <= room.services.now().toISOString()) {
    return sessions.closeSocket(socket, CLOSE.unauthenticated, "sign in again");
  }
  if (typeof data !== "string") {
    return sendError(room, socket, undefined, fail("invalid_request", "Frames are JSON text, not binary.").error);
  }
  const decoded = decodeClientFrame(data);
  if (!decoded.ok) return sendError(room, socket, decoded.id, decoded.error);
  const { frame } = decoded;
  if (frame.type === "hello") return hello(room, socket, frame);
  if (attachment.kind === null) {
    return sendError(
      room,
      socket,
      "id" in frame ? frame.id : undefined,
      fail("invalid_request", "Send `hello` first.").error,
    );
  }
  room.attachments.renew(attachment);
  if (frame.type === "received") {
    if (sessions.received(socket, frame.seq)) return;
    const told = `\`seq\`: this conversation has not sent event ${frame.seq} here yet; report what was read.`;
    return sendError(room, socket, undefined, fail("invalid_request", told).error);
  }
  if (!covers(rightOf(principalOf(attachment), journal.born), "write")) {
    return sendError(
      room,
      socket,
      frame.id,
      fail("forbidden", "You may read this conversation, not write in it.").error,
    );
  }
  try {
    await act(room, socket, attachment, frame);
  } catch (error) {
    // Nobody else would say so, and a client waits for its answer.
    console.error(`conversation ${room.id}: ${frame.type} could not be carried out:`, error);
    const told = fail("internal", "Something went wrong inside Mosaic; try again.");
    sendError(room, socket, frame.id, told.error);
  }
}

type Action = Exclude<ClientFrame, { type: "hello" | "received" }>;

async function act(room: Room, socket: WebSocket, attachment: Attachment, frame: Action): Promise<void> {
  const { sessions, queue } = room;
  const principal = principalOf(attachment);
  switch (frame.type) {
    case "message:send": {
      const sent = sendMessage(room, principal, frame.id, frame, attachment.kind ?? "api");
      if (!sent.ok) return sendError(room, socket, frame.id, sent.error);
      const { seq, state, duplicate } = sent.value;
      return sessions.send(socket, { type: "ack", id: frame.id, seq, state, duplicate });
    }
    case "command:execute": {
      const result = await executeCommand(room, principal, frame.command);
      return sessions.send(socket, { type: "command:result", id: frame.id, ...result });
    }
    case "turn:stop": {
      const stopped = queue.stop(frame.turnId, `Stopped by ${principal.name}.`);
      const text = stopped ? "Stopped." : "Nothing is being written at the moment.";
      return sessions.send(socket, { type: "command:result", id: frame.id, ok: stopped, text });
    }
    case "tool:answer": {
      const taken = queue.answerTool(frame.callId, frame.decision, principal.name);
      const text = frame.decision === "deny" ? "The call is not run." : "The call is run.";
      if (taken) return sessions.send(socket, { type: "command:result", id: frame.id, ok: true, text });
      const { error } = fail("not_found", "No tool call with this id waits for an answer.");
      return sendError(room, socket, frame.id, error);
    }
  }
}

/**
 * Greets; what was missed, the running answer and what happens next follow from there. A client that has read further
 * than this log goes, or another log, learns it from `lastSeq` and `logId` and starts again.
 */
function hello(room: Room, socket: WebSocket, frame: Extract<ClientFrame, { type: "hello" }>): void {
  const { sessions, journal } = room;
  if (frame.protocol !== PROTOCOL_VERSION) {
    sendError(
      room,
      socket,
      undefined,
      fail("invalid_request", `\`protocol\`: this server speaks version ${PROTOCOL_VERSION}; update the client.`).error,
    );
    return sessions.closeSocket(socket, CLOSE.wrongProtocol, `this server speaks protocol ${PROTOCOL_VERSION}`);
  }
  const logId = journal.meta("logId");
  sessions.greet(socket, frame.client.kind);
  sessions.send(socket, {
    type: "welcome",
    protocol: PROTOCOL_VERSION,
    features: FEATURES,
    conversationId: journal.born.id,
    lastSeq: journal.lastSeq,
    ...(logId === null ? {} : { logId }),
    session: sessionInfo(room),
  });
  sessions.follow(socket, frame.since ?? journal.lastSeq);
  broadcastSession(room);
}

function sendError(room: Room, socket: WebSocket, id: string | undefined, error: PublicError): void {
  room.sessions.send(socket, { type: "error", ...(id === undefined ? {} : { id }), ...error });
}
