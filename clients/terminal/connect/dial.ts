import type { IncomingMessage } from "node:http";
import { WebSocket } from "ws";
import {
  type MachineAnswer,
  type MachineRequest,
  MachineStreams,
} from "../../../shared/client/connector/machine-streams.ts";
import type { Upstream } from "../../../shared/contract/connector.ts";
import { ENROL_HEADER } from "../../../shared/contract/connector-credentials.ts";
import {
  CONNECTOR_PROTOCOL,
  CONNECTOR_PROTOCOL_VERSION,
  MAX_FRAME_BYTES,
  type MachineFrame,
  PING_EVERY_MS,
  type StackFrame,
} from "../../../shared/contract/connector-frames.ts";
import { type ErrorCode, Problem } from "../../../shared/contract/errors.ts";
import { CLOSE } from "../../../shared/contract/frames.ts";

const HANDSHAKE_WITHIN_MS = 15_000;
/** A socket that holds more than this is given nothing new: a large answer must not delay the small ones behind it. */
const BUSY_BYTES = 512 * 1024;
/** Of a server that reads no more than this ever waits, the headers of all its streams included. */
const STUCK_BYTES = 8 * 1024 * 1024;
const MAX_PROBLEM_BYTES = 16_384;

/** How a connection ended: refused before it was one, or closed. `code` is 1006 where it just broke. */
export interface Ended {
  status: number | null;
  /** Mosaic's own word on a refusal; null where something on the way refused, or nothing did. */
  verdict: ErrorCode | null;
  code: number;
  reason: string;
}

export interface Dial {
  /** Where Mosaic is. */
  url: string;
  bearer: string;
  /** For a machine that is not known there yet: the secret it wants to be known by, and its name. */
  enrol: { secret: string; name: string } | null;
  upstreams: readonly Upstream[];
  version: string;
  signal: AbortSignal;
  serve(request: MachineRequest): Promise<MachineAnswer>;
  welcomed(welcome: Extract<StackFrame, { type: "welcome" }>): void;
}

function socketUrl(url: string, name: string | undefined): URL {
  const address = new URL(`${url}/api/connectors/socket`);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  if (name !== undefined) address.searchParams.set("name", name);
  return address;
}

/** What Mosaic says in a refusal; null where it is not Mosaic's. */
async function problemIn(response: IncomingMessage): Promise<Problem | null> {
  if (!response.headers["content-type"]?.startsWith("application/problem+json")) return null;
  let text = "";
  try {
    for await (const chunk of response) {
      text += String(chunk);
      if (text.length > MAX_PROBLEM_BYTES) break;
    }
    return Problem.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** One connection, from the dialling to its end. Never rejects. */
export function dial(options: Dial): Promise<Ended> {
  const { url, bearer, enrol, signal } = options;
  const socket = new WebSocket(socketUrl(url, enrol?.name), [CONNECTOR_PROTOCOL], {
    headers: { authorization: `Bearer ${bearer}`, ...(enrol ? { [ENROL_HEADER]: enrol.secret } : {}) },
    maxPayload: MAX_FRAME_BYTES,
    perMessageDeflate: false,
    handshakeTimeout: HANDSHAKE_WITHIN_MS,
    followRedirects: false,
  });
  let isStuck = false;
  const streams = new MachineStreams({
    send: (data) => {
      isStuck ||= socket.bufferedAmount > STUCK_BYTES;
      if (isStuck) socket.terminate();
      else socket.send(data, () => streams.pump());
    },
    isBusy: () => socket.bufferedAmount > BUSY_BYTES,
    serve: options.serve,
    welcomed: (welcome) => options.welcomed(welcome),
  });
  const stopPinging = keepAlive(socket);
  return new Promise((resolve) => {
    let ended: Ended = { status: null, verdict: null, code: 1006, reason: "" };
    socket.on("open", () => {
      const { version, upstreams } = options;
      const offered = upstreams.map(({ name, kind }) => ({ name, kind }));
      const client = { name: "mosaic connect", version };
      const hello: MachineFrame = { type: "hello", protocol: CONNECTOR_PROTOCOL_VERSION, client, upstreams: offered };
      socket.send(JSON.stringify(hello));
    });
    socket.on("message", (data: Buffer, isBinary: boolean) => {
      const frame = isBinary ? data : data.toString("utf8");
      const wrong = frame === "pong" ? null : streams.receive(frame);
      if (wrong !== null) socket.close(CLOSE.wrongProtocol, wrong);
    });
    socket.on("unexpected-response", (_request, response) => {
      void problemIn(response).then((problem) => {
        const { code: verdict = null, detail: reason = "" } = problem ?? {};
        ended = { status: response.statusCode ?? 0, verdict, code: 1006, reason };
        socket.terminate();
      });
    });
    socket.on("error", (error) => {
      if (ended.status === null) ended = { ...ended, reason: error.message };
    });
    const leave = (): void => hangUp(socket);
    signal.addEventListener("abort", leave, { once: true });
    if (signal.aborted) leave();
    socket.on("close", (code, reason) => {
      stopPinging();
      signal.removeEventListener("abort", leave);
      streams.end();
      const ownReason = isStuck ? "the server does not read what it asks for" : ended.reason;
      resolve(ended.status === null ? { ...ended, code, reason: reason.toString() || ownReason } : ended);
    });
  });
}

const GOODBYE_WITHIN_MS = 1_000;

function hangUp(socket: WebSocket): void {
  socket.close(1000, "stopped");
  setTimeout(() => socket.terminate(), GOODBYE_WITHIN_MS).unref();
}

/** A connection that answers two pings in a row with nothing is dead, whatever the network says. @returns what ends the pinging */
function keepAlive(socket: WebSocket): () => void {
  let unanswered = 0;
  socket.on("message", () => {
    unanswered = 0;
  });
  const timer = setInterval(() => {
    if (socket.readyState !== WebSocket.OPEN) return;
    if (unanswered === 2) {
      socket.terminate();
      return;
    }
    unanswered++;
    socket.send("ping");
  }, PING_EVERY_MS);
  return () => clearInterval(timer);
}
