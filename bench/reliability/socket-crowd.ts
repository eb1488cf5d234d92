/**
 * Many sockets to one conversation, in a process of its own so that reading them does not slow what writes the tokens.
 * Each says once a second how far it has read, as real clients do. Started by `fork`: gets a `CrowdRequest`, says
 * "ready", and on "report" sends what each socket received and when.
 */
import { once } from "node:events";
import WebSocket from "ws";
import * as z from "zod";

const CrowdRequest = z.object({
  address: z.string(),
  headers: z.record(z.string(), z.string()),
  sockets: z.int(),
});
export type CrowdRequest = z.infer<typeof CrowdRequest>;

/** For one socket: after each delta, how much of the answer's text it has, and the time of the machine's own clock. */
export const CrowdReport = z.array(z.object({ received: z.array(z.number()), atMs: z.array(z.number()) }));
export type CrowdReport = z.infer<typeof CrowdReport>;

/** Milliseconds of a clock that all processes of a machine share. */
export const sharedNowMs = (): number => Number(process.hrtime.bigint()) / 1e6;

async function openOne({ address, headers }: CrowdRequest): Promise<CrowdReport[number]> {
  const seen: CrowdReport[number] = { received: [], atMs: [] };
  const socket = new WebSocket(address, ["mosaic.v1"], { headers, perMessageDeflate: false });
  await once(socket, "open");
  const client = { name: "bench", version: "1", kind: "api" };
  socket.send(JSON.stringify({ type: "hello", protocol: 1, client }));
  await once(socket, "message");
  let lastSeq = 0;
  setInterval(() => {
    if (lastSeq > 0) socket.send(JSON.stringify({ type: "received", seq: lastSeq }));
  }, 1_000);
  socket.on("message", (data) => {
    const atMs = sharedNowMs();
    const frame = JSON.parse(String(data));
    if (frame.type === "event") lastSeq = frame.seq;
    if (frame.type !== "message:delta" || frame.kind !== "text") return;
    seen.received.push(frame.offset + frame.text.length);
    seen.atMs.push(atMs);
  });
  return seen;
}

async function run(request: CrowdRequest): Promise<void> {
  const crowd: CrowdReport = [];
  while (crowd.length < request.sockets) crowd.push(await openOne(request));
  process.on("message", () => process.send?.(crowd));
  process.send?.("ready");
}

if (process.argv[1] === import.meta.filename) {
  process.once("message", (request) => void run(CrowdRequest.parse(request)));
  process.once("disconnect", () => process.exit());
}
