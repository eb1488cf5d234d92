/**
 * One conversation socket kept alive for ever: connects, greets, notices a dead peer, waits and connects again. It
 * knows nothing of messages; what it reads goes to `onFrame`, and whoever listens decides where to resume.
 */
import { CLOSE } from "../contract/frames.ts";
import { type Clock, reconnectDelayMs, type Timer } from "./clock.ts";
import { decodeServerFrame, type IncomingFrame } from "./decode-frame.ts";
import type { OpenSocket, Socket } from "./socket.ts";
import type { Connection } from "./view-state.ts";

/** Whether a refused upgrade is worth trying again; browsers and Node do not tell its status. */
export type Access = "ok" | "unauthenticated" | "forbidden" | "not_found" | "unreachable";

export interface ConnectionOptions {
  url: string;
  openSocket: OpenSocket;
  clock: Clock;
  /** The first frame of each connection, as JSON text. */
  hello(): string;
  onFrame(frame: IncomingFrame): void;
  onState(state: Connection): void;
  checkAccess?: (() => Promise<Access>) | undefined;
}

/** Close codes after which trying again cannot help, with what to tell the person. */
const FINAL: Record<number, string> = {
  [CLOSE.unauthenticated]: "You are not signed in, or the session has ended. Sign in again.",
  [CLOSE.revoked]: "Your access to this conversation was withdrawn.",
  [CLOSE.deleted]: "This conversation does not exist, or was deleted.",
  [CLOSE.wrongProtocol]: "The server speaks another version of the protocol; update this client.",
};
const CLOSE_OF_ACCESS: Partial<Record<Access, number>> = {
  unauthenticated: CLOSE.unauthenticated,
  forbidden: CLOSE.revoked,
  not_found: CLOSE.deleted,
};

/** Silence after which the peer is asked, and how long it has to say anything at all. */
const PING_AFTER_MS = 20_000;
const PONG_WITHIN_MS = 10_000;
/** A connection that is not greeted by then is given up. */
const WELCOME_WITHIN_MS = 15_000;
/** A connection that held this long has succeeded: the next try after it comes quickly again. */
const STABLE_AFTER_MS = 5_000;

export class ConversationConnection {
  readonly #options: ConnectionOptions;
  #socket: Socket | null = null;
  #timer: Timer | null = null;
  #attempt = 0;
  #welcomed = false;
  #welcomedAt = 0;
  #stopped = false;
  /** Moves with every connection: what an earlier socket still says is not heard. */
  #generation = 0;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#welcomed;
  }

  start(): void {
    this.#connect();
  }

  /** Sends when open; the caller keeps what must not be lost. */
  send(text: string): boolean {
    if (!this.#welcomed) return false;
    this.#socket?.send(text);
    return true;
  }

  /** Drops the socket and resumes, as after a gap; a little later each time, should the gap be in the log itself. */
  restart(): void {
    if (this.#stopped) return;
    this.#drop();
    this.#retry();
  }

  /** Stops waiting: tries now. For when the network or the window is back; a connection that seems to stand is asked. */
  wake(): void {
    if (this.#stopped) return;
    if (this.#welcomed) return this.#ask();
    if (this.#socket !== null) return;
    this.#attempt = 0;
    this.#connect();
  }

  stop(code = 1000, reason = "Closed."): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#drop();
    this.#options.onState({ state: "closed", code, reason });
  }

  #drop(): void {
    this.#generation += 1;
    this.#timer?.cancel();
    this.#timer = null;
    // One that is cut right after its welcome, again and again, must not be tried as if it were new.
    if (this.#welcomed && this.#options.clock.now() - this.#welcomedAt >= STABLE_AFTER_MS) this.#attempt = 0;
    this.#welcomed = false;
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(1000);
  }

  #connect(): void {
    if (this.#stopped) return;
    this.#drop();
    const generation = this.#generation;
    const current = (run: () => void) => () => {
      if (generation === this.#generation) run();
    };
    this.#options.onState({ state: "connecting" });
    this.#deadline(WELCOME_WITHIN_MS, () => this.#lost(1006));
    this.#socket = this.#options.openSocket(this.#options.url, {
      open: current(() => this.#socket?.send(this.#options.hello())),
      message: (text) => {
        if (generation === this.#generation) this.#read(text);
      },
      close: (code) => {
        if (generation === this.#generation) this.#lost(code);
      },
    });
  }

  #read(text: string): void {
    if (this.#welcomed) this.#watch();
    const frame = text === "pong" ? null : decodeServerFrame(text);
    if (!frame) return;
    if (frame.type === "welcome" && !this.#welcomed) {
      this.#welcomed = true;
      this.#welcomedAt = this.#options.clock.now();
      this.#watch();
      this.#options.onState({ state: "open" });
    }
    this.#options.onFrame(frame);
  }

  #watch(): void {
    this.#deadline(PING_AFTER_MS, () => this.#ask());
  }

  #ask(): void {
    this.#socket?.send("ping");
    this.#deadline(PONG_WITHIN_MS, () => this.#lost(1006));
  }

  #deadline(ms: number, run: () => void): void {
    this.#timer?.cancel();
    this.#timer = this.#options.clock.after(ms, run);
  }

  #lost(code: number): void {
    const wasOpen = this.#welcomed;
    this.#drop();
    const reason = FINAL[code];
    if (reason !== undefined) {
      this.stop(code, reason);
      return;
    }
    const { checkAccess } = this.#options;
    if (wasOpen || !checkAccess) {
      this.#retry();
      return;
    }
    const generation = this.#generation;
    // A server that hangs hangs here too.
    this.#deadline(WELCOME_WITHIN_MS, () => this.restart());
    const decide = (access: Access): void => {
      if (generation !== this.#generation || this.#stopped) return;
      const final = CLOSE_OF_ACCESS[access];
      if (final === undefined) this.#retry();
      else this.stop(final, FINAL[final]);
    };
    checkAccess().then(decide, () => decide("unreachable"));
  }

  #retry(): void {
    const { clock, onState } = this.#options;
    const delayMs = reconnectDelayMs(this.#attempt, clock.random());
    this.#attempt += 1;
    onState({ state: "waiting", attempt: this.#attempt, retryAt: clock.now() + delayMs });
    this.#deadline(delayMs, () => this.#connect());
  }
}
