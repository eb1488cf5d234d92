import type { ClientKind, ServerFrame } from "../../shared/contract/frames.ts";
import { CLOSE } from "../../shared/contract/frames.ts";
import type { Timers } from "../../shared/ports/timers.ts";
import { DeltaLanes } from "./delta-lanes.ts";
import type { EventLog } from "./event-log.ts";
import type { Attachment, Listener, Reader } from "./reader.ts";
import { SocketReader, type StoredAttachment, storedAttachment, wasClosed } from "./socket-reader.ts";

const FRAME_BURST = 2_000;
const FRAMES_PER_SECOND = 500;
/** How late an expired sign-in may be noticed; looking at every delta would cost more than it is worth. */
const EXPIRY_CHECK_MS = 1_000;
/** Two hundred clients that attach at once change `attached` two hundred times; everyone needs the last of it. */
const ANNOUNCE_EVERY_MS = 50;
/** After this much quiet, what readers owe is stored: well before the object can hibernate, seldom while it streams. */
const SETTLE_AFTER_MS = 2_000;

type Timer = ReturnType<Timers["after"]>;

interface Deps {
  ctx: Pick<DurableObjectState, "acceptWebSocket" | "getWebSockets" | "setWebSocketAutoResponse">;
  now: () => number;
  timers: Pick<Timers, "after">;
  log: EventLog;
  /** The running answer as it stands, null when none runs. */
  snapshot: () => ServerFrame | null;
  /** `session:info` as it stands, null when there is no conversation. */
  session: () => ServerFrame | null;
}

interface Flood {
  frames: number;
  sinceMs: number;
}

/** Everyone attached: sockets that survive hibernation, and SSE streams that live as long as the object is awake. */
export class Sessions {
  readonly #deps: Deps;
  readonly #sockets = new Map<WebSocket, SocketReader>();
  readonly #floods = new WeakMap<WebSocket, Flood>();
  readonly #listeners = new Set<Listener>();
  readonly #lanes: DeltaLanes;
  #expiryCheckedAt = 0;
  #announcedAt = 0;
  #announcing: Timer | null = null;
  #settling: Timer | null = null;
  #unsettledAt = 0;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#lanes = new DeltaLanes({ now: deps.now, timers: deps.timers, readers: () => this.#readers() });
    deps.ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
    for (const socket of deps.ctx.getWebSockets()) {
      const stored = storedAttachment(socket);
      if (wasClosed(stored)) continue;
      const reader = this.#remember(socket, stored);
      if (stored.isCatchingUp) this.#cut(reader, "the replay was cut; reconnect and resume");
    }
  }

  /** How many have said `hello`, and streams. */
  get count(): number {
    let count = 0;
    for (const _reader of this.#readers()) count++;
    return count;
  }

  accept(socket: WebSocket, attachment: Attachment): void {
    this.#deps.ctx.acceptWebSocket(socket);
    socket.serializeAttachment(attachment);
    this.#remember(socket, attachment);
  }

  /** Null for a socket that may say nothing any more. */
  attachmentOf(socket: WebSocket): Attachment | null {
    return this.#sockets.get(socket)?.attachment ?? null;
  }

  greet(socket: WebSocket, kind: ClientKind): void {
    this.#lanes.flush(); // what is held back was for it as it was before
    this.#sockets.get(socket)?.greet(kind);
  }

  /** What a greeted socket gets from now on: the log after `since`, the running answer, then what happens. */
  follow(socket: WebSocket, since: number): void {
    this.#sockets.get(socket)?.follow(since);
  }

  /** Whether one more frame from this socket is too many; a flood ends the connection, not the object. */
  floods(socket: WebSocket): boolean {
    const now = this.#deps.now();
    const flood = this.#floods.get(socket) ?? { frames: 0, sinceMs: now };
    flood.frames = Math.max(0, flood.frames - ((now - flood.sinceMs) / 1000) * FRAMES_PER_SECOND) + 1;
    flood.sinceMs = now;
    this.#floods.set(socket, flood);
    return flood.frames > FRAME_BURST;
  }

  /**
   * The client says how far it has read.
   * @returns false for a position that it was never sent
   */
  received(socket: WebSocket, seq: number): boolean {
    return this.#sockets.get(socket)?.received(seq) ?? true;
  }

  send(socket: WebSocket, frame: ServerFrame): void {
    this.#lanes.flush();
    this.#sockets.get(socket)?.write(JSON.stringify(frame), null);
  }

  broadcast(...frames: ServerFrame[]): void {
    this.#closeExpired();
    for (const frame of frames) {
      if (frame.type === "message:delta") {
        this.#lanes.push(frame);
        continue;
      }
      this.#lanes.flush();
      const text = JSON.stringify(frame);
      for (const reader of this.#readers()) reader.push(frame, text);
    }
  }

  /** Tells everyone how the session stands: at once, or together with what changes in the next moment. */
  announce(): void {
    const waitMs = this.#announcedAt + ANNOUNCE_EVERY_MS - this.#deps.now();
    if (waitMs > 0) this.#announceIn(Math.min(waitMs, ANNOUNCE_EVERY_MS));
    else if (!this.#announcing) this.#announceNow();
  }

  listen(listener: Listener): () => void {
    this.#lanes.flush();
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The socket has ended. @returns who it was */
  forget(socket: WebSocket): Attachment {
    this.#drop(socket);
    return storedAttachment(socket);
  }

  /** Closes one socket; from now on nothing it sends counts. */
  closeSocket(socket: WebSocket, code: number, reason: string): void {
    const reader = this.#drop(socket);
    if (!reader) return;
    reader.close(code, reason);
    this.#announceIn(0); // the client may take its time to answer the close
  }

  has(which: (attachment: Attachment) => boolean): boolean {
    return [...this.#sockets.values(), ...this.#listeners].some(({ attachment }) => which(attachment));
  }

  /** Ends the sockets and the streams of some; a stream has no code to say why. */
  close(which: (attachment: Attachment) => boolean, code: number, reason: string): void {
    for (const [socket, { attachment }] of this.#sockets) {
      if (which(attachment)) this.closeSocket(socket, code, reason);
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

  /** All who are told what happens. */
  *#readers(): Generator<Reader> {
    for (const reader of this.#sockets.values()) if (reader.isAttached) yield reader;
    yield* this.#listeners;
  }

  #announceIn(ms: number): void {
    this.#announcing ??= this.#deps.timers.after(ms, () => this.#announceNow());
  }

  #announceNow(): void {
    this.#announcing = null;
    this.#announcedAt = this.#deps.now();
    if (this.count === 0) return;
    const frame = this.#deps.session();
    if (frame) this.broadcast(frame);
  }

  #closeExpired(): void {
    const now = this.#deps.now();
    if (now - this.#expiryCheckedAt < EXPIRY_CHECK_MS) return;
    this.#expiryCheckedAt = now;
    const time = new Date(now).toISOString();
    this.close(({ expiresAt }) => expiresAt <= time, CLOSE.unauthenticated, "sign in again");
  }

  #remember(socket: WebSocket, stored: StoredAttachment): SocketReader {
    const { now, timers, log, snapshot, session } = this.#deps;
    const reader = new SocketReader(socket, stored, {
      now,
      timers,
      log,
      afterReplay: (missedSession) => [snapshot(), missedSession ? session() : null].filter((frame) => frame !== null),
      onTooFar: (slow) => this.#cut(slow, "too far behind; report `received`, reconnect and resume"),
      onLost: () => this.#drop(socket),
      onUnsettled: () => this.#unsettled(),
    });
    this.#sockets.set(socket, reader);
    return reader;
  }

  #drop(socket: WebSocket): SocketReader | null {
    const reader = this.#sockets.get(socket) ?? null;
    reader?.leave();
    this.#sockets.delete(socket);
    return reader;
  }

  #cut(reader: SocketReader, reason: string): void {
    this.closeSocket(reader.socket, CLOSE.tooSlow, reason);
  }

  #unsettled(): void {
    this.#unsettledAt = this.#deps.now();
    this.#settling ??= this.#deps.timers.after(SETTLE_AFTER_MS, () => this.#settle());
  }

  #settle(): void {
    this.#settling = null;
    const waitMs = this.#unsettledAt + SETTLE_AFTER_MS - this.#deps.now();
    if (waitMs > 0) {
      this.#settling = this.#deps.timers.after(Math.min(waitMs, SETTLE_AFTER_MS), () => this.#settle());
      return;
    }
    for (const reader of this.#sockets.values()) reader.settle();
  }
}
