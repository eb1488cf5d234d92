/**
 * The platform's own names that the object uses and Node lacks or forbids: a pair of sockets, a response with status
 * 101. Only what is used, and as cheap as it can be.
 */
import { ServerSocket } from "./server-socket.ts";

class PairOfSockets {
  readonly 0: { peer: ServerSocket };
  readonly 1: ServerSocket;
  constructor() {
    const server = new ServerSocket();
    this[0] = { peer: server };
    this[1] = server;
  }
}

class RequestResponsePair {
  readonly request: string;
  readonly response: string;
  constructor(request: string, response: string) {
    this.request = request;
    this.response = response;
  }
}

interface Init {
  status?: number;
  headers?: Record<string, string>;
  webSocket?: { peer: ServerSocket };
}

/** A response as it leaves the object. */
export class PlainResponse {
  readonly status: number;
  readonly headers: Map<string, string>;
  readonly webSocket: { peer: ServerSocket } | null;
  readonly body: { cancel?(): Promise<void> } | null;
  readonly #value: unknown;

  constructor(body: { cancel?(): Promise<void> } | null, init: Init = {}, value: unknown = null) {
    this.body = body;
    this.status = init.status ?? 200;
    this.headers = new Map(Object.entries(init.headers ?? {}));
    this.webSocket = init.webSocket ?? null;
    this.#value = value;
  }

  static json(value: unknown, init: Init = {}): PlainResponse {
    return new PlainResponse(null, init, value);
  }

  async json(): Promise<unknown> {
    return this.#value;
  }
}

/** Puts them where the object's code looks for them; once per process. */
export function installPlatformGlobals(): void {
  Object.assign(globalThis, {
    WebSocketPair: PairOfSockets,
    WebSocketRequestResponsePair: RequestResponsePair,
    Response: PlainResponse,
  });
}
