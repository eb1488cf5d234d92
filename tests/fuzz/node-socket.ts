import { once } from "node:events";
import WebSocket from "ws";
import { ServerFrame, SUBPROTOCOL } from "../../shared/contract/frames.ts";
import type { FuzzSocket } from "./fuzz-frames.ts";

const PATIENCE_MS = 30_000;

/** A real client's end of a conversation's socket, over TCP. */
export class NodeSocket implements FuzzSocket {
  readonly frames: ServerFrame[] = [];
  closed: { code: number; reason: string } | null = null;
  readonly #socket: WebSocket;
  #wake: () => void = () => {};

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data) => {
      this.frames.push(ServerFrame.parse(JSON.parse(String(data))));
      this.#wake();
    });
    socket.on("close", (code, reason) => {
      this.closed = { code, reason: String(reason) };
      this.#wake();
    });
    socket.on("error", () => undefined);
  }

  /** @throws Error when the upgrade is answered with anything else */
  static async open(address: string, headers: Record<string, string>): Promise<NodeSocket> {
    const socket = new WebSocket(address, [SUBPROTOCOL], { headers, perMessageDeflate: false });
    await once(socket, "open");
    return new NodeSocket(socket);
  }

  sendRaw(data: string | ArrayBuffer): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(data);
  }

  close(): void {
    this.#socket.close(1000, "done");
  }

  async until<Value>(what: string, find: () => Value | undefined): Promise<Value> {
    const deadline = Date.now() + PATIENCE_MS;
    while (true) {
      const found = find();
      if (found !== undefined) return found;
      if (Date.now() > deadline) throw new Error(`${what} did not come within ${PATIENCE_MS / 1000} s`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 250);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}
