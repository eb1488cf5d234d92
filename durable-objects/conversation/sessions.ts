import type { WorkspaceRole } from "../../shared/contract/account.ts";
import type { ClientKind, ServerFrame } from "../../shared/contract/frames.ts";
import { CLOSE } from "../../shared/contract/frames.ts";
import type { Principal } from "../../shared/domain/access/principal.ts";

/** What a socket keeps across hibernation (at most 2 KiB): who it is and how far it has come. */
export interface Attachment {
  id: string;
  userId: string;
  name: string;
  credentialId: string;
  credential: "session" | "api-key";
  workspaceId: string;
  role: WorkspaceRole;
  expiresAt: string;
  /** Null until `hello`. */
  kind: ClientKind | null;
}

/** Anyone who is told what happens without a socket: an SSE stream. */
export interface Listener {
  readonly attachment: Attachment;
  push(frame: ServerFrame, text: string): void;
  end(): void;
}

/** A client that has let this much pass without a word is cut; it resumes where it was. */
const MAX_UNREAD_BYTES = 16 * 1024 * 1024;
const FRAME_BURST = 2_000;
const FRAMES_PER_SECOND = 500;
/** How late an expired sign-in may be noticed; looking at every delta would cost more than it is worth. */
const EXPIRY_CHECK_MS = 1_000;
/** Stands for the expiry of a socket that was closed here: a client that does not answer the close can go on sending. */
const CLOSED = "";

interface Live {
  attachment: Attachment;
  unreadBytes: number;
  frames: number;
  framesSince: number;
}

/** The principal that a socket's attachment stands for, as far as this conversation is concerned. */
export const principalOf = (attachment: Attachment): Principal => ({
  userId: attachment.userId,
  name: attachment.name.slice(0, 100),
  credentialId: attachment.credentialId,
  credential: attachment.credential,
  workspaces: [{ id: attachment.workspaceId, role: attachment.role }],
  isInstanceAdmin: false,
  expiresAt: attachment.expiresAt,
});

/** Everyone attached: sockets that survive hibernation, and SSE streams that live as long as the object is awake. */
export class Sessions {
  readonly #ctx: DurableObjectState;
  readonly #now: () => number;
  readonly #live = new Map<WebSocket, Live>();
  readonly #listeners = new Set<Listener>();
  #expiryCheckedAt = 0;

  constructor(ctx: DurableObjectState, now: () => number) {
    this.#ctx = ctx;
    this.#now = now;
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
    for (const socket of ctx.getWebSockets()) {
      const attachment = socket.deserializeAttachment() as Attachment;
      if (attachment.expiresAt !== CLOSED) this.#remember(socket, attachment);
    }
  }

  get count(): number {
    return [...this.#live.values()].filter((live) => live.attachment.kind !== null).length + this.#listeners.size;
  }

  accept(socket: WebSocket, attachment: Attachment): void {
    this.#ctx.acceptWebSocket(socket);
    socket.serializeAttachment(attachment);
    this.#remember(socket, attachment);
  }

  /** Null for a socket that may say nothing any more. */
  attachmentOf(socket: WebSocket): Attachment | null {
    return this.#live.get(socket)?.attachment ?? null;
  }

  greet(socket: WebSocket, kind: ClientKind): void {
    const known = this.attachmentOf(socket);
    if (!known) return;
    const attachment = { ...known, kind };
    socket.serializeAttachment(attachment);
    this.#remember(socket, attachment);
  }

  /** Whether one more frame from this socket is too many; a flood ends the connection, not the object. */
  floods(socket: WebSocket): boolean {
    const live = this.#live.get(socket);
    if (!live) return false;
    const now = this.#now();
    live.frames = Math.max(0, live.frames - ((now - live.framesSince) / 1000) * FRAMES_PER_SECOND) + 1;
    live.framesSince = now;
    return live.frames > FRAME_BURST;
  }

  /** The client says how far it has read. */
  received(socket: WebSocket): void {
    const live = this.#live.get(socket);
    if (live) live.unreadBytes = 0;
  }

  send(socket: WebSocket, frame: ServerFrame): void {
    this.#sendText(socket, JSON.stringify(frame));
  }

  broadcast(...frames: ServerFrame[]): void {
    this.#closeExpired();
    for (const frame of frames) {
      const text = JSON.stringify(frame);
      for (const [socket, live] of this.#live) {
        if (live.attachment.kind !== null) this.#sendText(socket, text);
      }
      for (const listener of this.#listeners) listener.push(frame, text);
    }
  }

  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The socket has ended. @returns who it was */
  forget(socket: WebSocket): Attachment {
    this.#live.delete(socket);
    return socket.deserializeAttachment() as Attachment;
  }

  /** Closes one socket; from now on nothing it sends counts. */
  closeSocket(socket: WebSocket, code: number, reason: string): void {
    this.#live.delete(socket);
    socket.serializeAttachment({ ...(socket.deserializeAttachment() as Attachment), kind: null, expiresAt: CLOSED });
    socket.close(code, reason);
  }

  has(which: (attachment: Attachment) => boolean): boolean {
    return [...this.#live.values(), ...this.#listeners].some(({ attachment }) => which(attachment));
  }

  /** Ends the sockets and the streams of some; a stream has no code to say why. */
  close(which: (attachment: Attachment) => boolean, code: number, reason: string): void {
    for (const [socket, live] of this.#live) {
      if (which(live.attachment)) this.closeSocket(socket, code, reason);
    }
    for (const listener of [...this.#listeners]) {
      if (!which(listener.attachment)) continue;
      this.#listeners.delete(listener);
      listener.end();
    }
  }

  endListeners(): void {
    for (const listener of this.#listeners) listener.end();
    this.#listeners.clear();
  }

  #closeExpired(): void {
    const now = this.#now();
    if (now - this.#expiryCheckedAt < EXPIRY_CHECK_MS) return;
    this.#expiryCheckedAt = now;
    const time = new Date(now).toISOString();
    this.close(({ expiresAt }) => expiresAt <= time, CLOSE.unauthenticated, "sign in again");
  }

  #remember(socket: WebSocket, attachment: Attachment): void {
    const known = this.#live.get(socket);
    if (known) known.attachment = attachment;
    else this.#live.set(socket, { attachment, unreadBytes: 0, frames: 0, framesSince: this.#now() });
  }

  #sendText(socket: WebSocket, text: string): void {
    const live = this.#live.get(socket);
    if (!live) return;
    live.unreadBytes += text.length;
    if (live.unreadBytes > MAX_UNREAD_BYTES) {
      this.closeSocket(socket, CLOSE.tooSlow, "too far behind; reconnect and resume");
      return;
    }
    try {
      socket.send(text);
    } catch {
      this.#live.delete(socket); // it is gone already; its client resumes by `seq`
    }
  }
}
