/**
 * The connector socket's wire: control frames are JSON text, bodies are binary data frames. The stack opens a stream
 * per request; the machine answers `headers` and a body. Bodies flow both ways under credit: each end may send
 * `WINDOW_BYTES` of a stream, and as much more as the other end gives it with `credit`.
 */
import * as z from "zod";
import { Upstream } from "./connector.ts";
import { ConnectorStamp } from "./connector-credentials.ts";
import { Id, label } from "./primitives.ts";

/** The WebSocket subprotocol of `GET /api/connectors/socket`. */
export const CONNECTOR_PROTOCOL = "mosaic.connector.v1";
export const CONNECTOR_PROTOCOL_VERSION = 1;

/** A longer frame, of either kind, ends the connection. */
export const MAX_FRAME_BYTES = 256 * 1024;
/** Names and values of one request's or answer's headers together. */
export const MAX_HEADER_BYTES = 64 * 1024;
/** Open at once on one connector. */
export const MAX_STREAMS = 64;
export const MAX_UPSTREAMS = 16;
/** What each end may send of a stream before it is given credit. */
export const WINDOW_BYTES = 512 * 1024;
/** Data is cut into frames of so much, so that no stream waits long behind another. */
export const CHUNK_BYTES = 64 * 1024;
/** No end gives more than this in advance. */
export const MAX_WINDOW_BYTES = 16 * 1024 * 1024;
/** The machine sends the text `ping` so often; the platform answers `pong` without waking anybody. */
export const PING_EVERY_MS = 10_000;
/** A machine that was silent for so long is gone, whatever TCP thinks: two pings in a row did not come. */
export const SILENT_AFTER_MS = 22_000;

const StreamId = z.int().min(1).max(0xffff_ffff);
const HeaderName = z.string().regex(/^[!#$%&'*+\-.^_`|~0-9a-z]{1,200}$/);
const HeaderValue = z.string().regex(/^[\t\x20-\x7e\x80-\xff]*$/);
/** Names in lower case; a name may come twice. */
export const HeaderBlock = z
  .array(z.tuple([HeaderName, HeaderValue]))
  .refine((headers) => headerBytes(headers) <= MAX_HEADER_BYTES, "is longer than 64 KiB");
export type HeaderBlock = z.infer<typeof HeaderBlock>;

export const headerBytes = (headers: readonly (readonly [string, string])[]): number =>
  headers.reduce((sum, [name, value]) => sum + name.length + value.length, 0);

const End = { type: z.literal("end"), stream: StreamId };
/** The stream is over for both ends, at once; `message` is one sentence for a person. */
const Reset = { type: z.literal("reset"), stream: StreamId, message: z.string().max(1000) };
const Credit = { type: z.literal("credit"), stream: StreamId, bytes: z.int().min(1).max(MAX_WINDOW_BYTES) };

/** What the machine says. Strict: it is code that we did not start. */
export const MachineFrame = z.discriminatedUnion("type", [
  /** First, once: who it is and what it offers. */
  z.strictObject({
    type: z.literal("hello"),
    protocol: z.int(),
    client: z.strictObject({ name: label(100), version: label(50) }),
    upstreams: z
      .array(Upstream)
      .max(MAX_UPSTREAMS)
      .refine((upstreams) => new Set(upstreams.map(({ name }) => name)).size === upstreams.length, "has a name twice"),
  }),
  z.strictObject({
    type: z.literal("headers"),
    stream: StreamId,
    status: z.int().min(200).max(599),
    headers: HeaderBlock,
  }),
  z.strictObject(End),
  z.strictObject(Reset),
  z.strictObject(Credit),
]);
export type MachineFrame = z.infer<typeof MachineFrame>;

/** What the stack says. The machine ignores fields and types that it does not know. */
export const StackFrame = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("welcome"),
    protocol: z.int(),
    features: z.array(z.string()),
    connectorId: Id,
    name: z.string(),
    /** To be shown with the machine's secret when it dials in again. */
    stamp: ConnectorStamp,
  }),
  z.object({
    type: z.literal("open"),
    stream: StreamId,
    upstream: z.string(),
    method: z.string(),
    /** With its query, as below the upstream's own address. */
    path: z.string(),
    headers: HeaderBlock,
    /** Whether data frames and `end` follow. */
    hasBody: z.boolean(),
  }),
  z.object(End),
  z.object(Reset),
  z.object(Credit),
]);
export type StackFrame = z.infer<typeof StackFrame>;

export type Decoded<Frame> = { ok: true; frame: Frame } | { ok: false; reason: string };

function decode<Frame>(schema: z.ZodType<Frame>, text: string): Decoded<Frame> {
  if (text.length > MAX_FRAME_BYTES) return { ok: false, reason: "a frame is longer than 256 KiB" };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, reason: "a frame is not JSON" };
  }
  const parsed = schema.safeParse(value);
  return parsed.success
    ? { ok: true, frame: parsed.data }
    : { ok: false, reason: "a frame has not the expected shape" };
}

export const decodeMachineFrame = (text: string): Decoded<MachineFrame> => decode(MachineFrame, text);

const Typed = z.object({ type: z.string() });
const KNOWN: readonly string[] = ["welcome", "open", "end", "reset", "credit"] satisfies StackFrame["type"][];

/** @returns null for a type that a later stack may send */
export function decodeStackFrame(text: string): Decoded<StackFrame> | null {
  const typed = decode(Typed, text);
  return typed.ok && !KNOWN.includes(typed.frame.type) ? null : decode(StackFrame, text);
}

const DATA = 1;
const DATA_HEADER_BYTES = 5;

/** `[type u8 = 1][stream u32, big endian][bytes]` */
export function encodeData(stream: number, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(DATA_HEADER_BYTES + bytes.byteLength);
  const view = new DataView(frame.buffer);
  view.setUint8(0, DATA);
  view.setUint32(1, stream);
  frame.set(bytes, DATA_HEADER_BYTES);
  return frame;
}

/** The bytes are a view of `frame`, not a copy. */
export function decodeData(frame: Uint8Array): Decoded<{ stream: number; bytes: Uint8Array }> {
  if (frame.byteLength > MAX_FRAME_BYTES) return { ok: false, reason: "a frame is longer than 256 KiB" };
  if (frame.byteLength < DATA_HEADER_BYTES) return { ok: false, reason: "a data frame is too short" };
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const stream = view.getUint32(1);
  if (view.getUint8(0) !== DATA || stream === 0) return { ok: false, reason: "a binary frame is not data" };
  return { ok: true, frame: { stream, bytes: frame.subarray(DATA_HEADER_BYTES) } };
}
