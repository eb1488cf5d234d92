/**
 * A conversation over its socket: resumes by `seq` without a gap or a repeat, keeps what was not acknowledged and
 * sends it again with the same id, and turns verbs into promises. What it learns goes to its listeners as view actions.
 */
import { v7 as uuid } from "uuid";
import { type ClientFrameInput, type ClientKind, PROTOCOL_VERSION, type ServerFrame } from "../contract/frames.ts";
import { ApiError, errorFromFrame } from "./api-error.ts";
import { type Clock, systemClock } from "./clock.ts";
import { type Access, ConversationConnection } from "./connection.ts";
import type { IncomingFrame } from "./decode-frame.ts";
import type { OutboxStorage } from "./outbox.ts";
import { EventPosition } from "./position.ts";
import { PendingReplies } from "./replies.ts";
import { type SendBody, type Sending, SendQueue } from "./send-queue.ts";
import { type OpenSocket, platformSockets, type SocketAuth } from "./socket.ts";
import type { Connection, ViewAction } from "./view-state.ts";

export interface ConversationClientOptions {
  /** Where Mosaic is, `http://localhost:8787`; a page that it served passes its own origin. */
  url: string;
  conversationId: string;
  /** Node passes `token`; a browser nothing (its cookie) or `ticket`. */
  auth?: SocketAuth;
  client: { name: string; version: string; kind: ClientKind };
  storage: OutboxStorage;
  /** The event to go on after; 0, the default, replays everything, null nothing. */
  since?: number | null;
  /** Asked when a connection was refused before it opened; see `accessOf`. */
  checkAccess?: () => Promise<Access>;
  openSocket?: OpenSocket;
  clock?: Clock;
}

export type CommandResult = Pick<Extract<ServerFrame, { type: "command:result" }>, "ok" | "text" | "data">;
type Listener = (action: ViewAction) => void;

const socketUrl = (url: string, conversationId: string): string =>
  `${url.replace(/^http/, "ws").replace(/\/+$/, "")}/api/conversations/${encodeURIComponent(conversationId)}/socket`;

/** `checkAccess` from any cheap authenticated call, such as reading the conversation. */
export const accessOf = (call: () => Promise<unknown>) => async (): Promise<Access> => {
  try {
    await call();
    return "ok";
  } catch (error) {
    if (!(error instanceof ApiError)) return "unreachable";
    if (error.status === 401) return "unauthenticated";
    if (error.status === 403) return "forbidden";
    return error.status === 404 ? "not_found" : "unreachable";
  }
};

export class ConversationClient {
  readonly conversationId: string;
  readonly #options: ConversationClientOptions;
  readonly #clock: Clock;
  readonly #connection: ConversationConnection;
  readonly #position: EventPosition;
  readonly #queue: SendQueue;
  readonly #replies: PendingReplies;
  readonly #listeners = new Set<Listener>();

  constructor(options: ConversationClientOptions) {
    this.conversationId = options.conversationId;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#connection = new ConversationConnection({
      url: socketUrl(options.url, options.conversationId),
      openSocket: options.openSocket ?? platformSockets(options.auth ?? {}),
      clock: this.#clock,
      checkAccess: options.checkAccess,
      hello: () => this.#hello(),
      onFrame: (frame) => this.#onFrame(frame),
      onState: (connection) => this.#onState(connection),
    });
    const send = (frame: ClientFrameInput) => this.#connection.send(JSON.stringify(frame));
    this.#position = new EventPosition(options.since === undefined ? 0 : options.since, this.#clock, (seq) =>
      send({ type: "received", seq }),
    );
    this.#queue = new SendQueue(options.storage, this.#clock, send, (pending) =>
      this.#emit({ type: "pending", pending }),
    );
    this.#replies = new PendingReplies(this.#clock, send);
  }

  /** Takes up what an earlier run left in the outbox and connects. */
  async start(): Promise<void> {
    await this.#queue.load();
    this.#connection.start();
  }

  /** Hears every action from now on; answers how to stop hearing. */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Keeps and sends a message. `acknowledged` fulfils when it is durable at the server, however long that takes. */
  send(body: SendBody): Sending {
    return this.#queue.add(body);
  }

  /** Sends a refused message once more, under the same id. */
  resend(id: string): void {
    this.#queue.resend(id);
  }

  /** Forgets a message that was not acknowledged; answers its entry's text. */
  discard(id: string): Promise<string | null> {
    return this.#queue.discard(id);
  }

  /** Runs a slash command at the server. Rejects with ApiError when no answer can come any more. */
  async command(command: string): Promise<CommandResult> {
    const frame = await this.#replies.ask({ type: "command:execute", id: uuid(), command });
    if (frame.type !== "command:result") return { ok: true, text: "" };
    return { ok: frame.ok, text: frame.text, ...(frame.data === undefined ? {} : { data: frame.data }) };
  }

  /** Asks the running answer to stop. What it leads to arrives as events. */
  stopTurn(turnId?: string): void {
    this.#replies.tell({ type: "turn:stop", id: uuid(), ...(turnId === undefined ? {} : { turnId }) });
  }

  answerTool(callId: string, decision: "allow-once" | "allow-always" | "deny"): void {
    this.#replies.tell({ type: "tool:answer", id: uuid(), callId, decision });
  }

  /** Tries to connect now instead of waiting, for when the network or the window is back. */
  wake(): void {
    this.#connection.wake();
  }

  /** Ends the connection for good; the outbox stays in its storage. */
  stop(): void {
    this.#position.flush();
    this.#connection.stop();
  }

  #hello(): string {
    const since = this.#position.since;
    const frame: ClientFrameInput = {
      type: "hello",
      protocol: PROTOCOL_VERSION,
      client: this.#options.client,
      ...(since === null ? {} : { since }),
    };
    return JSON.stringify(frame);
  }

  #emit(action: ViewAction): void {
    for (const listener of this.#listeners) listener(action);
  }

  #onState(connection: Connection): void {
    this.#emit({ type: "connection", connection });
    if (connection.state === "open") return;
    this.#position.pause();
    this.#queue.disconnected();
    this.#replies.disconnected();
    if (connection.state === "closed") {
      const error = new ApiError({ code: "network", message: connection.reason });
      this.#queue.end(error);
      this.#replies.end(error);
    }
  }

  #onFrame(frame: IncomingFrame): void {
    switch (frame.type) {
      case "welcome":
        this.#onWelcome(frame);
        return;
      case "event":
      case "unknown-event": {
        const place = this.#position.take(frame.seq);
        if (place === "gap") this.#connection.restart();
        if (place !== "next") return;
        if (frame.type === "event" && frame.event.type === "message:added") {
          // First the event, so that the message never is nowhere.
          this.#emit({ type: "frame", frame });
          this.#queue.acknowledge(frame.event.message.id, { seq: frame.seq, state: null, duplicate: false }, true);
          return;
        }
        this.#emit({ type: "frame", frame });
        return;
      }
      case "ack":
        this.#emit({ type: "taken", id: frame.id, state: frame.state });
        this.#queue.acknowledge(frame.id, frame, this.#position.hasRead(frame.seq));
        return;
      case "command:result":
        this.#replies.answer(frame.id, frame);
        return;
      case "error":
        this.#onError(frame);
        return;
      default:
        this.#position.touch();
        this.#emit({ type: "frame", frame });
        return;
    }
  }

  #onWelcome(frame: Extract<ServerFrame, { type: "welcome" }>): void {
    const began = this.#position.welcome(frame.lastSeq, frame.logId);
    if (began === "rebuilt") {
      // The server's log is another than the one that was read, so nothing shown can be trusted. Only what was
      // not acknowledged is sent again: keeping more here would bring back what was deleted meanwhile, and a second
      // copy of the truth in every client would still not know which of them is right.
      this.#queue.reset();
      this.#emit({ type: "reset" });
      this.#connection.restart();
      return;
    }
    if (began !== "resumed") this.#emit({ type: "start", seq: began });
    this.#emit({ type: "frame", frame });
    this.#queue.connected();
    this.#replies.connected();
  }

  #onError(frame: Extract<ServerFrame, { type: "error" }>): void {
    const error = errorFromFrame(frame);
    if (frame.id !== undefined && this.#queue.refuse(frame.id, error, frame.retryAfterMs)) return;
    if (frame.id !== undefined && this.#replies.fail(frame.id, error)) return;
    const { id: _, ...shown } = frame;
    this.#emit({ type: "frame", frame: shown });
  }
}

export const createConversationClient = (options: ConversationClientOptions): ConversationClient =>
  new ConversationClient(options);
