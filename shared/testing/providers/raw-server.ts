/** A vendor that misbehaves to the byte: each test says what goes over the wire, and when. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";

export interface RawServer {
  url: string;
  /** What to do with requests from now on. */
  answer(handler: (response: ServerResponse, request: IncomingMessage) => void): void;
  requests: { method: string; path: string; headers: IncomingMessage["headers"]; body: unknown }[];
  /** Connections accepted so far. */
  connections(): number;
  /** Resolves when the client closes the connection of a request that was not answered to its end. */
  clientLeft(): Promise<void>;
  close(): Promise<void>;
}

async function jsonBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  const text = Buffer.concat(chunks).toString("utf8");
  return text === "" ? undefined : JSON.parse(text);
}

/** `beside` answers these paths at once and correctly, unrecorded: calls that go with the one under test. */
export async function startRawServer(beside: Readonly<Record<string, unknown>> = {}): Promise<RawServer> {
  const sockets = new Set<Socket>();
  const requests: RawServer["requests"] = [];
  let handler: (response: ServerResponse, request: IncomingMessage) => void = (response) => response.destroy();
  let accepted = 0;
  let left: () => void = () => undefined;
  let leaving = new Promise<void>((resolve) => {
    left = resolve;
  });
  const server = createServer((request, response) => {
    if (request.url !== undefined && request.url in beside) {
      request.resume();
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify(beside[request.url]));
      return;
    }
    response.on("close", () => {
      if (!response.writableFinished) left();
    });
    jsonBody(request).then(
      (body) => {
        requests.push({ method: request.method ?? "", path: request.url ?? "", headers: request.headers, body });
        handler(response, request);
      },
      () => response.destroy(),
    );
  });
  server.on("connection", (socket) => {
    accepted += 1;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The raw server has no port.");
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    answer: (next) => {
      handler = next;
      leaving = new Promise<void>((resolve) => {
        left = resolve;
      });
    },
    connections: () => accepted,
    clientLeft: () => leaving,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Writes the pieces one by one, each in its own packet as far as the network lets it. */
export async function writeSlowly(
  response: ServerResponse,
  pieces: Iterable<string | Uint8Array>,
  pauseMs = 0,
): Promise<void> {
  response.socket?.setNoDelay(true);
  for (const piece of pieces) {
    if (response.destroyed) return;
    response.write(piece);
    await new Promise((resolve) => (pauseMs > 0 ? setTimeout(resolve, pauseMs) : setImmediate(resolve)));
  }
}
