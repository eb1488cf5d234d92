import { createConnectorGateway } from "../../adapters/connector/connector-gateway.ts";
import { type MachineAnswer, type MachineRequest, MachineStreams } from "../../client/connector/machine-streams.ts";
import { CONNECTOR_PROTOCOL, type MachineFrame } from "../../contract/connector-frames.ts";
import {
  CONNECTOR_DOORS,
  CONNECTOR_HEADERS,
  type ConnectorObject,
  type ConnectorTarget,
  type DialIn,
} from "../../ports/connector-gateway.ts";

/** As the edge would make one; objects hand on what they are given. */
export const STAMP = "t".repeat(43);

export const HELLO: MachineFrame = {
  type: "hello",
  protocol: 1,
  client: { name: "test", version: "1.2.3" },
  upstreams: [{ name: "ollama", kind: "ollama" }],
};

export function upgradeMachine(
  object: ConnectorObject,
  dialIn: DialIn,
  protocol = CONNECTOR_PROTOCOL,
): Promise<Response> {
  const headers = {
    upgrade: "websocket",
    "sec-websocket-protocol": protocol,
    [CONNECTOR_HEADERS.dialIn]: encodeURIComponent(JSON.stringify(dialIn)),
  };
  return object.fetch(new Request(CONNECTOR_DOORS.dialIn, { headers }));
}

/** A machine inside workerd: the real machine's end over a socket, with `serve` in the place of its model servers. */
export class TestMachine {
  closed: { code: number; reason: string } | null = null;
  welcomes = 0;
  readonly frames: string[] = [];
  readonly socket: WebSocket;
  readonly streams: MachineStreams;
  #wake: (() => void)[] = [];

  constructor(socket: WebSocket, serve: (request: MachineRequest) => Promise<MachineAnswer>) {
    this.socket = socket;
    this.streams = new MachineStreams({
      send: (data) => socket.send(data),
      isBusy: () => false,
      serve,
      welcomed: () => {
        this.welcomes++;
      },
    });
    socket.accept();
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", ({ data }) => {
      if (typeof data === "string") this.frames.push(data);
      this.streams.receive(typeof data === "string" ? data : new Uint8Array(data as ArrayBuffer));
      this.#wakeAll();
    });
    socket.addEventListener("close", ({ code, reason }) => {
      this.closed = { code, reason };
      this.streams.end();
      this.#wakeAll();
    });
  }

  /** Dials in and says hello. */
  static async dial(
    object: ConnectorObject,
    dialIn: DialIn,
    serve: (request: MachineRequest) => Promise<MachineAnswer>,
  ): Promise<TestMachine> {
    const machine = await TestMachine.silent(object, dialIn, serve);
    machine.say(HELLO);
    await machine.until("a welcome", () => machine.welcomes > 0);
    return machine;
  }

  /** Dials in and says nothing yet. */
  static async silent(
    object: ConnectorObject,
    dialIn: DialIn,
    serve: (request: MachineRequest) => Promise<MachineAnswer>,
  ): Promise<TestMachine> {
    const response = await upgradeMachine(object, dialIn);
    if (!response.webSocket) throw new Error(`no socket: ${response.status}`);
    return new TestMachine(response.webSocket, serve);
  }

  say(frame: MachineFrame): void {
    this.socket.send(JSON.stringify(frame));
  }

  async until(what: string, isThere: () => boolean): Promise<void> {
    const deadline = Date.now() + 10_000;
    while (!isThere()) {
      if (Date.now() > deadline) throw new Error(`${what} did not come; there were ${this.frames.join(" ")}`);
      await new Promise<void>((resolve) => {
        this.#wake.push(resolve);
        setTimeout(resolve, 100);
      });
    }
  }

  async untilClosed(): Promise<number> {
    await this.until("the end of the socket", () => this.closed !== null);
    return this.closed?.code ?? 0;
  }

  #wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

/** A request to an upstream, through the real gateway. */
export function askMachine(
  object: ConnectorObject,
  target: ConnectorTarget,
  path: string,
  init: RequestInit = {},
): Promise<Response> {
  const gateway = createConnectorGateway({ connector: () => object });
  return gateway.fetch(target, new Request(`http://connector.invalid${path}`, init));
}
