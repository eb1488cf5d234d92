import type { ClientKind, ServerFrame } from "../../shared/contract/frames.ts";
import {
  type CarriedLag,
  countReceived,
  countSent,
  isBehind,
  isTooFarBehind,
  type ReaderLag,
  readerLag,
  restartLag,
  unreadLength,
} from "../../shared/domain/fan-out/reader-lag.ts";
import type { Timers } from "../../shared/ports/timers.ts";
import { CatchUp } from "./catch-up.ts";
import type { EventLog } from "./event-log.ts";
import type { Attachment, Reader } from "./reader.ts";

/** Stands for the expiry of a socket that was closed here: a client that does not answer the close can go on sending. */
const CLOSED = "";

/** What a socket's attachment holds. */
export type StoredAttachment = Attachment & {
  lag?: CarriedLag;
  /** A replay was going on; it does not survive in memory. */
  isCatchingUp?: boolean;
};

interface Deps {
  now: () => number;
  timers: Pick<Timers, "after">;
  log: EventLog;
  /** What comes after a replay: the running answer as it stands, and what was missed of the session. */
  afterReplay: (missedSession: boolean) => ServerFrame[];
  /** It must go: too far behind. */
  onTooFar: (reader: SocketReader) => void;
  /** It is gone already. */
  onLost: (reader: SocketReader) => void;
  /** What it keeps across hibernation has changed and is not stored yet. */
  onUnsettled: () => void;
}

/** One socket as a reader of the log: a position, and how far it is behind. Hears live frames once it has caught up. */
export class SocketReader implements Reader {
  readonly socket: WebSocket;
  readonly lag: ReaderLag;
  readonly #deps: Deps;
  #attachment: Attachment;
  #stored: CarriedLag;
  #catchUp: CatchUp | null = null;
  #missedSession = false;
  #isGone = false;

  /** @param stored who it is; with what it kept, if it outlived a hibernation */
  constructor(socket: WebSocket, stored: StoredAttachment, deps: Deps) {
    const { lag, isCatchingUp: _, ...attachment } = stored;
    this.socket = socket;
    this.#attachment = attachment;
    this.#stored = lag ?? { unreadLength: 0, reports: false };
    this.lag = readerLag(deps.log.lastSeq, deps.now(), this.#stored);
    this.#deps = deps;
  }

  get attachment(): Attachment {
    return this.#attachment;
  }

  get isAttached(): boolean {
    return this.#attachment.kind !== null;
  }

  get isBehind(): boolean {
    return isBehind(this.lag);
  }

  greet(kind: ClientKind): void {
    this.#attachment = { ...this.#attachment, kind };
    this.store();
  }

  /** Sends everything after `since` and from then on what happens; a position beyond the log's end stands for its end. */
  follow(since: number): void {
    const { log, timers } = this.#deps;
    this.#catchUp?.cancel();
    restartLag(this.lag, Math.min(since, log.lastSeq));
    const catchUp = new CatchUp({
      log,
      timers,
      reader: this,
      onPause: () => this.store(),
      onDone: (hasPaused) => this.#caughtUp(hasPaused),
    });
    this.#catchUp = catchUp;
    catchUp.step();
  }

  push(frame: ServerFrame, text: string): void {
    if (!this.isAttached) return;
    if (this.#catchUp) {
      this.#missedSession ||= frame.type === "session:info";
      return;
    }
    if (frame.type !== "event") {
      this.write(text, null);
      return;
    }
    if (frame.seq <= this.lag.sentSeq) return;
    if (frame.seq > this.lag.sentSeq + 1) this.follow(this.lag.sentSeq);
    else this.write(text, frame.seq);
  }

  /** @returns false when nothing more can be sent. */
  write(text: string, seq: number | null): boolean {
    if (this.#isGone) return false;
    countSent(this.lag, text.length, seq, this.#deps.now());
    if (this.cutIfTooFar()) return false;
    try {
      this.socket.send(text);
    } catch {
      this.#deps.onLost(this); // its client resumes by `seq`
      return false;
    }
    this.#deps.onUnsettled();
    return true;
  }

  cutIfTooFar(): boolean {
    if (!isTooFarBehind(this.lag, this.#deps.now())) return false;
    this.#deps.onTooFar(this);
    return true;
  }

  /** @returns false for a position that was never sent. */
  received(seq: number): boolean {
    const isPlausible = countReceived(this.lag, seq, this.#deps.now());
    this.#catchUp?.reported();
    this.#deps.onUnsettled();
    return isPlausible;
  }

  /** Writes what must outlive a hibernation to the attachment, if it has changed. */
  settle(): void {
    const unread = unreadLength(this.lag);
    if (unread !== this.#stored.unreadLength || this.lag.reports !== this.#stored.reports) this.store();
  }

  store(): void {
    this.#stored = { unreadLength: unreadLength(this.lag), reports: this.lag.reports };
    const stored: StoredAttachment = {
      ...this.#attachment,
      lag: this.#stored,
      ...(this.#catchUp ? { isCatchingUp: true } : {}),
    };
    this.socket.serializeAttachment(stored);
  }

  /** Nothing is sent to it any more. */
  leave(): void {
    this.#isGone = true;
    this.#catchUp?.cancel();
    this.#catchUp = null;
  }

  /** Closes it; should the client go on sending, nothing of it counts. */
  close(code: number, reason: string): void {
    this.leave();
    this.socket.serializeAttachment({ ...this.#attachment, kind: null, expiresAt: CLOSED });
    this.socket.close(code, reason);
  }

  #caughtUp(hasPaused: boolean): void {
    this.#catchUp = null;
    if (hasPaused) this.store();
    const missed = this.#missedSession;
    this.#missedSession = false;
    for (const frame of this.#deps.afterReplay(missed)) this.write(JSON.stringify(frame), null);
  }
}

/** Who a socket belongs to. */
export const storedAttachment = (socket: WebSocket): StoredAttachment =>
  socket.deserializeAttachment() as StoredAttachment;

/** Whether it was closed here before the object hibernated. */
export const wasClosed = (stored: StoredAttachment): boolean => stored.expiresAt === CLOSED;
