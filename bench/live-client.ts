import { randomUUID } from "node:crypto";

interface Frame {
  type: string;
  id?: string;
  event?: { type: string };
}

/** An account and a conversation on a running stack, and one socket to it: as little client as can be measured with. */
export class LiveClient {
  readonly #socket: WebSocket;
  #listener: (frame: Frame, atMs: number) => void = () => {};

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", (message) =>
      this.#listener(JSON.parse(String(message.data)), performance.now()),
    );
  }

  static async open(url: string): Promise<LiveClient> {
    const headers = { "content-type": "application/json", origin: url };
    const account = { name: "Bench", email: `${randomUUID()}@example.com`, password: "a long enough password" };
    const signedUp = await fetch(`${url}/api/auth/sign-up/email`, {
      method: "POST",
      headers,
      body: JSON.stringify(account),
    });
    const { token } = (await signedUp.json()) as { token: string };
    const authorization = { authorization: `Bearer ${token}` };
    const created = await fetch(`${url}/api/conversations`, {
      method: "POST",
      headers: { ...headers, ...authorization },
      body: "{}",
    });
    const { id } = (await created.json()) as { id: string };
    const address = `${url.replace("http", "ws")}/api/conversations/${id}/socket`;
    const options = { protocols: "mosaic.v1", headers: authorization };
    const client = new LiveClient(new WebSocket(address, options as unknown as string[]));
    await client.#opened();
    return client;
  }

  /** Sends one message and waits for the end of its answer. @returns milliseconds to the ack, the first token, the end */
  async ask(text: string): Promise<{ ackMs: number; firstTokenMs: number; endMs: number }> {
    const id = randomUUID();
    const sentAt = performance.now();
    const times = { ackMs: Number.NaN, firstTokenMs: Number.NaN, endMs: Number.NaN };
    const ended = new Promise<void>((resolve, reject) => {
      this.#listener = (frame, atMs) => {
        if (frame.type === "ack" && frame.id === id) times.ackMs = atMs - sentAt;
        if (frame.type === "message:delta" && Number.isNaN(times.firstTokenMs)) times.firstTokenMs = atMs - sentAt;
        if (frame.event?.type === "turn:failed" || frame.type === "error") reject(new Error(JSON.stringify(frame)));
        if (frame.event?.type === "turn:completed") {
          times.endMs = atMs - sentAt;
          resolve();
        }
      };
    });
    this.#socket.send(JSON.stringify({ type: "message:send", id, text }));
    await ended;
    return times;
  }

  close(): void {
    this.#socket.close();
  }

  async #opened(): Promise<void> {
    await new Promise((resolve, reject) => {
      this.#socket.addEventListener("open", resolve, { once: true });
      this.#socket.addEventListener("error", () => reject(new Error("The socket did not open.")), { once: true });
    });
    const client = { name: "bench", version: "1", kind: "api" };
    const welcome = new Promise<void>((resolve) => {
      this.#listener = (frame) => frame.type === "welcome" && resolve();
    });
    this.#socket.send(JSON.stringify({ type: "hello", protocol: 1, client }));
    await welcome;
  }
}
