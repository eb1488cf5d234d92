/**
 * A server that speaks the protocol for one signed-in person, in this process and in memory, with faults on demand:
 * what the clients are tried against without the stack.
 */
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type WebSocket, WebSocketServer } from "ws";
import type { Conversation } from "../../contract/conversation.ts";
import type { ConversationEvent, LoggedEvent } from "../../contract/events.ts";
import { type ClientFrame, decodeClientFrame, type ServerFrame, type SessionInfo } from "../../contract/frames.ts";
import type { Part } from "../../contract/message.ts";
import type { Receipt } from "../../contract/receipt.ts";
import { aMessage } from "../builders.ts";

const AT = "2026-11-21T00:00:00.000Z";

export const aReceipt = (reason = "The only model here.", model = "fake-model"): Receipt => ({
  id: randomUUID(),
  classification: {
    taskType: "conversation",
    complexity: "simple",
    domain: "general",
    requiredCapabilities: [],
    confidence: { taskType: 1, complexity: 1, domain: 1 },
  },
  chosen: { providerId: "fake", provider: "fake", model },
  pinned: false,
  rule: null,
  reason,
  rejected: [],
  predicted: { inputTokens: 1, outputTokens: 1, microUsd: 1 },
  alternatives: [],
  sticky: null,
  configuration: "fresh",
});

export const aSession = (conversationId: string): SessionInfo => ({
  conversationId,
  title: "A talk",
  agent: null,
  personality: null,
  model: { provider: "fake", id: "fake-model", contextWindow: 1000, pinned: false },
  routing: null,
  context: { usedTokens: 250, windowTokens: 1000 },
  usage: { inputTokens: 1200, outputTokens: 34, cachedTokens: 0, microUsd: 3100 },
  storage: "synced",
  busy: false,
  attached: 1,
});

/** What goes wrong, and how often; each counts down. */
export interface Faults {
  /** The socket dies after the message is stored and before it is acknowledged. */
  dropBeforeAck: number;
  /** The socket dies before the message is stored. */
  dropBeforeStore: number;
  /** An event is not sent live, only in a replay. */
  skipEvents: number;
  /** Every event and delta is sent twice. */
  sendTwice: boolean;
  /** The next message is refused with this error. */
  refuse: { code: "rate_limited" | "conflict"; message: string; retryAfterMs?: number } | null;
}

/** How an answer goes: its parts are streamed in pieces of `pieceLength`, one every `everyMs`. */
export interface Script {
  parts: Part[];
  pieceLength: number;
  everyMs: number;
  failWith?: string;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export class FakeConversation {
  readonly id = randomUUID();
  readonly log: LoggedEvent[] = [];
  readonly sockets = new Set<WebSocket>();
  readonly received: ClientFrame[] = [];
  faults: Faults = { dropBeforeAck: 0, dropBeforeStore: 0, skipEvents: 0, sendTwice: false, refuse: null };
  script: (text: string) => Script = (text) => ({
    parts: [{ type: "text", text: `You said: ${text}` }],
    pieceLength: 5,
    everyMs: 1,
  });
  #running: { turnId: string; messageId: string; parts: Part[]; stopped: boolean } | null = null;
  #queue: Promise<void> = Promise.resolve();
  #head: string | null = null;

  describe(): Conversation {
    return {
      id: this.id,
      workspaceId: this.id,
      ownerUserId: this.id,
      visibility: "private",
      title: "A talk",
      model: null,
      agentId: null,
      personalityId: null,
      headId: this.#head,
      forkedFrom: null,
      version: 1,
      createdAt: AT,
      updatedAt: AT,
    };
  }

  append(event: ConversationEvent): number {
    const seq = this.log.length + 1;
    this.log.push({ seq, at: AT, event });
    if (event.type === "message:added") this.#head = event.message.id;
    if (event.type === "turn:started") this.#head = event.messageId;
    if (this.faults.skipEvents > 0) this.faults.skipEvents -= 1;
    else this.broadcast({ type: "event", seq, at: AT, event });
    return seq;
  }

  broadcast(frame: ServerFrame): void {
    for (const socket of this.sockets) {
      this.#send(socket, frame);
      if (this.faults.sendTwice) this.#send(socket, frame);
    }
  }

  /** Every socket dies without a word. */
  cut(code?: number): void {
    for (const socket of this.sockets) {
      if (code === undefined) socket.terminate();
      else socket.close(code);
    }
    this.sockets.clear();
  }

  /** Stores a message once; answers its seq and whether it was there already. */
  store(id: string, text: string): { seq: number; duplicate: boolean } {
    const known = this.log.find(({ event }) => event.type === "message:added" && event.message.id === id);
    if (known) return { seq: known.seq, duplicate: true };
    const parts: Part[] = [{ type: "text", text }];
    const message = aMessage({ id, seq: this.log.length + 1, role: "user", parentId: this.#head, parts });
    const seq = this.append({ type: "message:added", message });
    this.#queue = this.#queue.then(() => this.#answer(id, text));
    return { seq, duplicate: false };
  }

  attach(socket: WebSocket): void {
    socket.on("message", (data) => {
      const text = String(data);
      if (text === "ping") socket.send("pong");
      else this.#read(socket, text);
    });
    socket.on("close", () => this.sockets.delete(socket));
  }

  #send(socket: WebSocket, frame: ServerFrame): void {
    if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(frame));
  }

  #read(socket: WebSocket, text: string): void {
    const decoded = decodeClientFrame(text);
    if (!decoded.ok) {
      this.#send(socket, { type: "error", ...(decoded.id ? { id: decoded.id } : {}), ...decoded.error });
      return;
    }
    const { frame } = decoded;
    this.received.push(frame);
    if (frame.type === "hello") this.#welcome(socket, frame.since);
    if (frame.type === "message:send") this.#accept(socket, frame);
    if (frame.type === "turn:stop" && this.#running) this.#running.stopped = true;
    if (frame.type === "command:execute" && frame.command !== "/silence") {
      const known = frame.command === "/help";
      const answer = known ? "Commands: /help" : `There is no command ${frame.command}.`;
      this.#send(socket, { type: "command:result", id: frame.id, ok: known, text: answer });
    }
  }

  #welcome(socket: WebSocket, since: number | undefined): void {
    const session = aSession(this.id);
    const lastSeq = this.log.length;
    this.#send(socket, { type: "welcome", protocol: 1, features: [], conversationId: this.id, lastSeq, session });
    if (since !== undefined) for (const event of this.log.slice(since)) this.#send(socket, { type: "event", ...event });
    if (this.#running) {
      const { turnId, messageId, parts } = this.#running;
      this.#send(socket, { type: "message:snapshot", turnId, messageId, parts: structuredClone(parts) });
    }
    this.sockets.add(socket);
  }

  #accept(socket: WebSocket, frame: Extract<ClientFrame, { type: "message:send" }>): void {
    if (this.faults.refuse) {
      this.#send(socket, { type: "error", id: frame.id, ...this.faults.refuse });
      this.faults.refuse = null;
      return;
    }
    if (this.faults.dropBeforeStore > 0) {
      this.faults.dropBeforeStore -= 1;
      socket.terminate();
      return;
    }
    const drop = this.faults.dropBeforeAck > 0;
    if (drop) {
      this.faults.dropBeforeAck -= 1;
      this.sockets.delete(socket);
    }
    const { seq, duplicate } = this.store(frame.id, frame.text ?? "");
    if (drop) socket.terminate();
    else this.#send(socket, { type: "ack", id: frame.id, seq, state: "started", duplicate });
  }

  async #answer(replyTo: string, text: string): Promise<void> {
    const { parts, pieceLength, everyMs, failWith } = this.script(text);
    const turn = { turnId: randomUUID(), messageId: randomUUID(), parts: [] as Part[], stopped: false };
    const { turnId, messageId } = turn;
    const parentId = this.#head;
    const receipt = aReceipt();
    const seq = this.append({ type: "turn:started", turnId, messageId, replyTo, parentId, receipt });
    this.#running = turn;
    for (const [index, part] of parts.entries()) {
      if (part.type !== "text" && part.type !== "thinking") continue;
      const shown = { ...part, text: "" };
      turn.parts.push(shown);
      for (let offset = 0; offset < part.text.length && !turn.stopped; offset += pieceLength) {
        await sleep(everyMs);
        const piece = part.text.slice(offset, offset + pieceLength);
        shown.text += piece;
        this.broadcast({ type: "message:delta", turnId, messageId, part: index, kind: part.type, offset, text: piece });
      }
    }
    this.#running = null;
    const usage = { inputTokens: 10, outputTokens: 5, cachedTokens: 0 };
    const metadata = { turnId, replyTo, model: "fake-model", provider: "fake", usage, microUsd: 3100 };
    const message = aMessage({ id: messageId, seq, role: "assistant", parentId, parts: turn.parts, metadata });
    if (failWith !== undefined) {
      this.append({
        type: "turn:failed",
        turnId,
        error: { code: "provider_failed", message: failWith },
        canRetry: true,
      });
    } else if (turn.stopped) {
      this.append({ type: "turn:interrupted", turnId, message, why: "You stopped it.", willContinue: false });
    } else {
      this.append({ type: "turn:completed", turnId, message, usage });
    }
  }
}

export class ProtocolServer {
  readonly token = "a-session-token";
  /** Known from the first start on; stays the same when it is started again on the same port. */
  url = "";
  readonly conversations = new Map<string, FakeConversation>();
  /** Set to approve the device code that was asked for. */
  deviceApproved = false;
  /** Requests that came, as `METHOD /path`. */
  readonly requests: string[] = [];
  /** Given to every new conversation. */
  onConversation: (conversation: FakeConversation) => void = () => {};
  readonly #server = createServer((request, response) => {
    this.#handle(request, response).catch(() => response.destroy());
  });
  readonly #sockets = new WebSocketServer({ noServer: true, handleProtocols: (names) => [...names][0] ?? false });

  async start(port = 0): Promise<this> {
    this.#server.on("upgrade", (request, socket, head) => {
      const id = /^\/api\/conversations\/([^/]+)\/socket/.exec(request.url ?? "")?.[1];
      const conversation = this.conversations.get(id ?? "");
      if (!conversation || !this.#isSignedIn(request)) {
        socket.end("HTTP/1.1 401 Unauthorized\r\nconnection: close\r\n\r\n");
        return;
      }
      this.#sockets.handleUpgrade(request, socket, head, (upgraded) => conversation.attach(upgraded));
    });
    await new Promise<void>((resolve) => this.#server.listen(port, "127.0.0.1", resolve));
    const address = this.#server.address();
    this.url = typeof address === "object" && address !== null ? `http://127.0.0.1:${address.port}` : "";
    return this;
  }

  /** Stops listening and cuts everyone; what was stored stays for another `start`. */
  async stop(): Promise<void> {
    for (const conversation of this.conversations.values()) conversation.cut();
    this.#server.removeAllListeners("upgrade");
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  create(): FakeConversation {
    const conversation = new FakeConversation();
    this.onConversation(conversation);
    this.conversations.set(conversation.id, conversation);
    return conversation;
  }

  #isSignedIn(request: IncomingMessage): boolean {
    return request.headers.authorization === `Bearer ${this.token}`;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? "").split("?", 1)[0] ?? "";
    const route = `${request.method} ${path}`;
    this.requests.push(route);
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const body: unknown = text === "" ? null : JSON.parse(text);
    const answer = (status: number, value: unknown): void => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
    };
    const problem = (status: number, code: string, detail: string): void =>
      answer(status, { type: "about:blank", title: code, status, detail, code, requestId: "r", retryable: false });
    if (route === "POST /api/auth/device/code") {
      return answer(200, {
        device_code: "device-1",
        user_code: "ABCD2345",
        verification_uri: `${this.url}/device`,
        verification_uri_complete: `${this.url}/device?user_code=ABCD2345`,
        expires_in: 600,
        interval: 1,
      });
    }
    if (route === "POST /api/auth/device/token") {
      if (!this.deviceApproved) return answer(400, { error: "authorization_pending", error_description: "Not yet" });
      return answer(200, { access_token: this.token, token_type: "Bearer", expires_in: 3600, scope: "" });
    }
    if (!this.#isSignedIn(request)) return problem(401, "unauthenticated", "Sign in first.");
    this.#signedIn(route, path, body, answer, problem);
  }

  #signedIn(
    route: string,
    path: string,
    body: unknown,
    answer: (status: number, value: unknown) => void,
    problem: (status: number, code: string, detail: string) => void,
  ): void {
    if (route === "POST /api/auth/sign-out") return answer(200, { success: true });
    if (route === "GET /api/me") return answer(200, me);
    if (route === "POST /api/conversations") return answer(201, this.create().describe());
    if (route === "GET /api/conversations") {
      const items = [...this.conversations.values()].reverse().map((conversation) => conversation.describe());
      return answer(200, { items, nextCursor: null });
    }
    const [, id, rest] = /^\/api\/conversations\/([^/]+)(\/messages)?$/.exec(path) ?? [];
    const conversation = this.conversations.get(id ?? "");
    if (!conversation) return problem(404, "not_found", "There is no such conversation.");
    if (route.startsWith("POST") && rest && isSend(body)) {
      const { seq } = conversation.store(body.id, body.text);
      return answer(202, { messageId: body.id, seq, state: "started", turnId: null });
    }
    if (route.startsWith("DELETE")) this.conversations.delete(conversation.id);
    return answer(200, conversation.describe());
  }
}

const isSend = (body: unknown): body is { id: string; text: string } =>
  typeof body === "object" && body !== null && "id" in body && "text" in body;

const me = {
  user: {
    id: randomUUID(),
    name: "Ada",
    email: "ada@example.com",
    emailVerified: true,
    image: null,
    isInstanceAdmin: false,
  },
  workspaces: [],
  defaultWorkspaceId: randomUUID(),
  settings: { defaultModel: { value: null, from: "default" } },
};
