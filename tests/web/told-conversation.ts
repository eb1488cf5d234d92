/** A conversation whose events a test makes up: the page's socket is answered here, everything else by the stack. */
import type { Page } from "playwright-core";
import type { ConversationEvent } from "../../shared/contract/events.ts";
import {
  type ClientFrame,
  decodeClientFrame,
  type ServerFrame,
  type SessionInfo,
} from "../../shared/contract/frames.ts";
import type { Part } from "../../shared/contract/message.ts";
import { aMessage, testId } from "../../shared/testing/builders.ts";
import { aReceipt, aSession } from "../../shared/testing/node/protocol-server.ts";

const AT = "2026-11-21T00:00:00.000Z";

export class ToldConversation {
  readonly log: string[] = [];
  readonly received: ClientFrame[] = [];
  session: SessionInfo;
  /** What a message is answered with. */
  onMessage: (frame: Extract<ClientFrame, { type: "message:send" }>) => void = () => {};
  #head: string | null = null;
  #send: (text: string) => void = () => {};
  readonly #id: string;

  constructor(id: string) {
    this.#id = id;
    this.session = aSession(id);
  }

  /** From the next connection on the page hears this conversation. */
  async tell(page: Page): Promise<void> {
    await page.routeWebSocket(/\/socket$/, (socket) => {
      this.#send = (text) => socket.send(text);
      socket.onMessage((data) => {
        if (data === "ping") return socket.send("pong");
        const decoded = decodeClientFrame(String(data));
        if (!decoded.ok) return;
        this.received.push(decoded.frame);
        if (decoded.frame.type === "hello") this.#welcome(decoded.frame.since ?? 0);
        if (decoded.frame.type === "message:send") this.onMessage(decoded.frame);
      });
    });
  }

  /**
   * As `tell`, from within the page: what goes through the test, a message at a time, takes longer than any replay.
   * Nothing sent afterwards is heard.
   */
  async tellQuickly(page: Page): Promise<void> {
    const lines = this.log.join("\n");
    const welcome = JSON.stringify(this.#greeting());
    await page.route("**/told-log", (route) => route.fulfill({ body: lines }));
    await page.addInitScript((greeting) => {
      class ToldSocket extends EventTarget {
        constructor() {
          super();
          setTimeout(() => this.dispatchEvent(new Event("open")), 0);
        }
        async send(text: string) {
          if (JSON.parse(text).type !== "hello") return;
          const log = (await (await fetch("/told-log")).text()).split("\n");
          const say = (data: string) => this.dispatchEvent(new MessageEvent("message", { data }));
          say(greeting);
          while (log.length > 0) {
            for (const line of log.splice(0, 50)) say(line);
            await new Promise((resolve) => setTimeout(resolve, 0));
          }
        }
        close() {}
      }
      Object.assign(globalThis, { WebSocket: ToldSocket });
    }, welcome);
  }

  send(frame: ServerFrame): void {
    this.#send(JSON.stringify(frame));
  }

  add(event: ConversationEvent): number {
    const seq = this.log.length + 1;
    const frame: ServerFrame = { type: "event", seq, at: AT, event };
    this.log.push(JSON.stringify(frame));
    this.send(frame);
    return seq;
  }

  ask(text: string, id = testId()): { id: string; seq: number } {
    const parts: Part[] = [{ type: "text", text }];
    const message = aMessage({ id, seq: this.log.length + 1, role: "user", parentId: this.#head, parts });
    this.#head = id;
    return { id, seq: this.add({ type: "message:added", message }) };
  }

  start(replyTo: string): { turnId: string; messageId: string; parentId: string | null; replyTo: string } {
    const turn = { turnId: testId(), messageId: testId(), parentId: this.#head, replyTo };
    this.add({ type: "turn:started", ...turn, receipt: aReceipt() });
    this.#head = turn.messageId;
    return turn;
  }

  complete(
    turn: ReturnType<ToldConversation["start"]>,
    parts: Part[],
    steeredBy: string[] = [],
    steeredAt?: number[],
  ): void {
    const { turnId, messageId, parentId, replyTo } = turn;
    const usage = { inputTokens: 1, outputTokens: 1, cachedTokens: 0 };
    const steering = steeredBy.length > 0 ? { steeredBy, steeredAt } : {};
    const metadata = { turnId, replyTo, model: "fake-model", provider: "fake", usage, ...steering };
    const message = aMessage({ id: messageId, seq: this.log.length, role: "assistant", parentId, parts, metadata });
    this.add({ type: "turn:completed", turnId, message, usage });
  }

  #welcome(since: number): void {
    this.send(this.#greeting());
    for (const event of this.log.slice(since)) this.#send(event);
  }

  #greeting(): ServerFrame {
    const lastSeq = this.log.length;
    const { session } = this;
    return { type: "welcome", protocol: 1, features: [], conversationId: this.#id, lastSeq, session };
  }
}
