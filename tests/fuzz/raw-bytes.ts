import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { SUBPROTOCOL } from "../../shared/contract/frames.ts";

const WAIT_MS = 2_000;

const header = (first: number, length: number): Buffer =>
  Buffer.from([first, 0x80 | 127, 0, 0, 0, 0, ...[24, 16, 8, 0].map((shift) => (length >>> shift) & 255), 0, 0, 0, 0]);

/** What is no WebSocket at all, after an upgrade that is one. */
function brokenStreams(seed: number): Buffer[] {
  const noise = Buffer.from(Array.from({ length: 400 }, (_unused, index) => (seed * 31 + index * index * 7) & 255));
  return [
    randomBytes(512),
    noise,
    // Not masked, as a client's frames must be.
    Buffer.from([0x81, 0x02, 0x7b, 0x7d]),
    // Reserved bits, an unknown kind, a control frame that is too long, half a frame, text that is not UTF-8.
    Buffer.from([0xf1, 0x80, 0, 0, 0, 0]),
    Buffer.from([0x8b, 0x80, 0, 0, 0, 0]),
    Buffer.concat([header(0x89, 126), Buffer.alloc(126)]),
    Buffer.concat([header(0x81, 1_000_000), Buffer.alloc(10)]),
    Buffer.concat([header(0x81, 3), Buffer.from([0xff, 0xc0, 0x80])]),
    // A continuation of nothing; a length of nearly 4 GiB.
    Buffer.concat([header(0x80, 1), Buffer.alloc(1)]),
    header(0x82, 0xffffffff),
  ];
}

/**
 * Upgrades by hand and then breaks the framing itself, in every way there is. What the platform does with it is its own
 * matter; who comes here looks afterwards whether everything else still stands. @returns how many connections it took
 */
export async function sendBrokenBytes(address: string, headers: Record<string, string>, seed: number): Promise<number> {
  const url = new URL(address);
  const streams = brokenStreams(seed);
  for (const bytes of streams) {
    const socket = connect(Number(url.port), url.hostname);
    socket.on("error", () => undefined);
    const closed = once(socket, "close");
    const lines = [
      `GET ${url.pathname} HTTP/1.1`,
      `Host: ${url.host}`,
      "Upgrade: websocket",
      "Connection: Upgrade",
      `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`,
      "Sec-WebSocket-Version: 13",
      `Sec-WebSocket-Protocol: ${SUBPROTOCOL}`,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ];
    socket.write(`${lines.join("\r\n")}\r\n\r\n`);
    const [answer] = await once(socket, "data");
    const status = String(answer).split(" ")[1];
    if (status !== "101") throw new Error(`The upgrade was answered ${status}.`);
    socket.write(bytes);
    const limit = setTimeout(() => socket.destroy(), WAIT_MS);
    await closed;
    clearTimeout(limit);
  }
  return streams.length;
}
