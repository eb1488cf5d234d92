import { type ClientFrameInput, PROTOCOL_VERSION, ServerFrame, SUBPROTOCOL } from "../../contract/frames.ts";
import type { Principal } from "../../domain/access/principal.ts";
import { type ConversationObject, OBJECT_HEADERS, type UpgradeProof } from "../../ports/conversation-object.ts";

type FrameOf<Type extends ServerFrame["type"]> = Extract<ServerFrame, { type: Type }>;

/** A client of a conversation inside workerd: keeps every frame, waits for the one it needs. */
export class TestSocket {
  readonly frames: ServerFrame[] = [];
  closed: { code: number; reason: string } | null = null;
  readonly #socket: WebSocket;
  readonly #patienceMs: number;
  #wake: (() => void)[] = [];

  constructor(socket: WebSocket, patienceMs = 10_000) {
    this.#socket = socket;
    this.#patienceMs = patienceMs;
    socket.accept();
    socket.addEventListener("message", (message) => {
      this.frames.push(ServerFrame.parse(JSON.parse(String(message.data))));
      this.#wakeAll();
    });
    socket.addEventListener("close", (close) => {
      this.closed = { code: close.code, reason: close.reason };
      this.#wakeAll();
    });
  }

  send(frame: ClientFrameInput): void {
    this.#socket.send(JSON.stringify(frame));
  }

  sendRaw(data: string | ArrayBuffer): void {
    this.#socket.send(data);
  }

  close(): void {
    this.#socket.close(1000, "done");
  }

  hello(since?: number): void {
    const client = { name: "test", version: "1", kind: "api" as const };
    this.send({ type: "hello", protocol: PROTOCOL_VERSION, client, ...(since === undefined ? {} : { since }) });
  }

  /** The first frame of this type that passes, among those that came and those that come within the patience of this client. */
  async next<Type extends ServerFrame["type"]>(
    type: Type,
    test: (frame: FrameOf<Type>) => boolean = () => true,
  ): Promise<FrameOf<Type>> {
    return await this.until(`a frame ${type}`, () => this.all(type).find(test));
  }

  async event(type: FrameOf<"event">["event"]["type"]): Promise<FrameOf<"event">> {
    return await this.next("event", (frame) => frame.event.type === type);
  }

  async untilClosed(): Promise<{ code: number; reason: string }> {
    return await this.until("the end of the socket", () => this.closed ?? undefined);
  }

  all<Type extends ServerFrame["type"]>(type: Type): FrameOf<Type>[] {
    return this.frames.filter((frame): frame is FrameOf<Type> => frame.type === type);
  }

  async until<Value>(what: string, find: () => Value | undefined): Promise<Value> {
    const deadline = Date.now() + this.#patienceMs;
    while (true) {
      const found = find();
      if (found !== undefined) return found;
      if (Date.now() > deadline)
        throw new Error(
          `${what} did not come; there were ${JSON.stringify(this.frames.map((frame) => (frame.type === "event" ? frame.event.type : frame.type)))}`,
        );
      await new Promise<void>((resolve) => {
        this.#wake.push(resolve);
        setTimeout(resolve, 200);
      });
    }
  }

  #wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

/** Opens a conversation's socket as the Worker would. */
export async function openSocket(
  object: ConversationObject,
  proof: Principal | UpgradeProof,
  patienceMs?: number,
): Promise<TestSocket> {
  const response = await upgrade(object, proof);
  if (!response.webSocket) throw new Error(`no socket: ${response.status} ${await response.text()}`);
  return new TestSocket(response.webSocket, patienceMs);
}

export function upgrade(object: ConversationObject, proof: Principal | UpgradeProof): Promise<Response> {
  const value: UpgradeProof = "by" in proof ? proof : { by: "principal", principal: proof };
  const headers = {
    upgrade: "websocket",
    "sec-websocket-protocol": SUBPROTOCOL,
    [OBJECT_HEADERS.principal]: JSON.stringify(value),
  };
  return object.fetch(new Request("https://conversation/socket", { headers }));
}
