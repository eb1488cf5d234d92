import { randomUUID } from "node:crypto";
import { once } from "node:events";
import WebSocket from "ws";
import { BenchAccount } from "./bench-account.ts";

export interface Frame {
  type: string;
  id?: string;
  seq?: number;
  lastSeq?: number;
  /** Of a piece of the answer. */
  text?: string;
  event?: { type: string };
}

/** One socket to a conversation of a running stack: as little client as can be measured with. */
export class LiveClient {
  readonly #socket: WebSocket;
  #listener: (frame: Frame, atMs: number) => void = () => {};

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data) => {
      const atMs = performance.now();
      this.#listener(JSON.parse(String(data)), atMs);
    });
  }

  /** With an account and a conversation of its own. */
  static async open(url: string): Promise<LiveClient> {
    const account = await BenchAccount.signUp(url);
    const client = await LiveClient.attach(account, (await account.createConversation()).id);
    await client.hello();
    return client;
  }

  /** Connected, and not a word said yet. */
  static async attach(account: BenchAccount, conversationId: string): Promise<LiveClient> {
    const { authorization: headers } = account;
    return await LiveClient.connect(account.socketAddress(conversationId), "mosaic.v1", headers);
  }

  static async connect(
    address: string,
    protocol: string | undefined,
    headers: Record<string, string>,
  ): Promise<LiveClient> {
    const socket = new WebSocket(address, protocol === undefined ? [] : [protocol], {
      headers,
      perMessageDeflate: false,
    });
    await once(socket, "open");
    return new LiveClient(socket);
  }

  /** Says hello and waits for the frame that `isLast` names. @returns milliseconds until then */
  async hello(since?: number, isLast: (frame: Frame) => boolean = ({ type }) => type === "welcome"): Promise<number> {
    const client = { name: "bench", version: "1", kind: "api" };
    return await this.exchange({ type: "hello", protocol: 1, client, ...(since !== undefined && { since }) }, isLast);
  }

  /** Sends one frame and waits for the one that `isLast` names. @returns milliseconds until then */
  async exchange(frame: object, isLast: (frame: Frame) => boolean): Promise<number> {
    const text = JSON.stringify(frame);
    const arrived = new Promise<number>((resolve, reject) => {
      this.#listener = (received, atMs) => {
        if (isLast(received)) resolve(atMs);
        else if (received.type === "error") reject(new Error(JSON.stringify(received)));
      };
    });
    const sentAt = performance.now();
    this.#socket.send(text);
    return (await arrived) - sentAt;
  }

  /**
   * Sends one message and waits for the end of its answer.
   * @returns milliseconds to the ack, the first token, the end; and how often another provider was turned to
   */
  async ask(text: string): Promise<{ ackMs: number; firstTokenMs: number; endMs: number; reroutes: number }> {
    const id = randomUUID();
    const times = { ackMs: Number.NaN, firstTokenMs: Number.NaN, endMs: Number.NaN, reroutes: 0 };
    const frame = JSON.stringify({ type: "message:send", id, text });
    let sentAt = 0;
    const ended = new Promise<void>((resolve, reject) => {
      this.#listener = (received, atMs) => {
        if (received.type === "ack" && received.id === id) times.ackMs = atMs - sentAt;
        if (received.type === "message:delta" && Number.isNaN(times.firstTokenMs)) times.firstTokenMs = atMs - sentAt;
        if (received.event?.type === "turn:rerouted") times.reroutes++;
        if (received.event?.type === "turn:failed" || received.type === "error")
          reject(new Error(JSON.stringify(received)));
        if (received.event?.type === "turn:completed") {
          times.endMs = atMs - sentAt;
          resolve();
        }
      };
    });
    sentAt = performance.now();
    this.#socket.send(frame);
    await ended;
    return times;
  }

  close(): void {
    this.#socket.close();
  }

  /** Ends without a word, and lets go of everything. */
  terminate(): void {
    this.#socket.terminate();
  }
}
