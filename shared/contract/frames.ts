import * as z from "zod";
import { errorFromZod, PublicError } from "./errors.ts";
import { ConversationEvent } from "./events.ts";
import { MAX_TEXT_LENGTH, Part, Usage, UserPart } from "./message.ts";
import { Id, label, MicroUsd, Seq, Text, Timestamp } from "./primitives.ts";
import { Receipt } from "./receipt.ts";

export const PROTOCOL_VERSION = 1;
export const SUBPROTOCOL = "mosaic.v1";
/** Bytes of UTF-8; a longer frame is answered with `too_large`. */
export const MAX_FRAME_BYTES = 1024 * 1024;

/** Why the server closed a socket. After 4008 a client reconnects and resumes; after the others it does not. */
export const CLOSE = {
  unauthenticated: 4001,
  revoked: 4003,
  deleted: 4004,
  tooSlow: 4008,
  wrongProtocol: 4010,
} as const;

export const ClientKind = z.enum(["web", "tui", "api", "bridge"]);
export type ClientKind = z.infer<typeof ClientKind>;

export const WhenBusy = z.enum(["queue", "steer", "reject"]);

/** The body of a new message, over REST and in `message:send`: `text`, or `parts`, never both, never nothing. */
export const messageBodyFields = {
  text: Text.pipe(z.string().max(MAX_TEXT_LENGTH)).optional(),
  parts: z.array(UserPart).min(1).max(64).optional(),
  model: label(200).optional(),
  whenBusy: WhenBusy.default("queue"),
};

/** Refines an object that has `messageBodyFields`. */
export const hasContent = (body: { text?: string | undefined; parts?: unknown[] | undefined }): boolean =>
  body.parts === undefined ? (body.text ?? "").trim() !== "" : body.text === undefined;
export const CONTENT_ERROR = { path: ["text"], message: "send either `text` that is not empty or `parts`" };

const Hello = z.strictObject({
  type: z.literal("hello"),
  protocol: z.int(),
  client: z.strictObject({ name: label(100), version: label(50), kind: ClientKind }),
  since: Seq.optional(),
});
const MessageSend = z.strictObject({ type: z.literal("message:send"), id: Id, ...messageBodyFields });
const CommandExecute = z.strictObject({ type: z.literal("command:execute"), id: Id, command: label(4000) });
const TurnStop = z.strictObject({ type: z.literal("turn:stop"), id: Id, turnId: Id.optional() });
const ToolAnswer = z.strictObject({
  type: z.literal("tool:answer"),
  id: Id,
  callId: label(200),
  decision: z.enum(["allow-once", "allow-always", "deny"]),
});
const Received = z.strictObject({ type: z.literal("received"), seq: Seq });

/** Everything a client may send on the conversation socket. */
export const ClientFrame = z
  .discriminatedUnion("type", [Hello, MessageSend, CommandExecute, TurnStop, ToolAnswer, Received])
  .refine((frame) => frame.type !== "message:send" || hasContent(frame), CONTENT_ERROR);
export type ClientFrame = z.infer<typeof ClientFrame>;
export type ClientFrameInput = z.input<typeof ClientFrame>;

export const SessionInfo = z.object({
  conversationId: Id,
  title: z.string(),
  agent: z.object({ id: Id, name: z.string() }).nullable(),
  personality: z.object({ id: Id, name: z.string() }).nullable(),
  model: z
    .object({ provider: z.string(), id: z.string(), contextWindow: z.int().nullable(), pinned: z.boolean() })
    .nullable(),
  routing: Receipt.nullable(),
  context: z.object({ usedTokens: z.int(), windowTokens: z.int().nullable() }),
  usage: Usage.extend({ microUsd: MicroUsd }),
  storage: z.enum(["synced", "behind", "offline"]),
  busy: z.boolean(),
  attached: z.int(),
});
export type SessionInfo = z.infer<typeof SessionInfo>;

export const AckState = z.enum(["started", "queued", "steered"]);
export type AckState = z.infer<typeof AckState>;

/** Everything the server may send on the conversation socket. Clients ignore fields and types they do not know. */
export const ServerFrame = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("welcome"),
    protocol: z.int(),
    features: z.array(z.string()),
    conversationId: Id,
    lastSeq: Seq,
    /** Another one than before: the log was rebuilt from what Postgres had, and is to be read from its start. */
    logId: Id.optional(),
    session: SessionInfo,
  }),
  z.object({ type: z.literal("ack"), id: Id, seq: Seq, state: AckState, duplicate: z.boolean() }),
  z.object({ type: z.literal("event"), seq: Seq, at: Timestamp, event: ConversationEvent }),
  z.object({
    type: z.literal("message:delta"),
    turnId: Id,
    messageId: Id,
    part: z.int(),
    kind: z.enum(["text", "thinking", "tool-input"]),
    offset: z.int(),
    text: z.string(),
  }),
  z.object({ type: z.literal("message:snapshot"), turnId: Id, messageId: Id, parts: z.array(Part) }),
  z.object({ type: z.literal("session:info"), ...SessionInfo.shape }),
  z.object({
    type: z.literal("command:result"),
    id: Id,
    ok: z.boolean(),
    text: z.string(),
    data: z.unknown().optional(),
  }),
  z.object({ type: z.literal("error"), id: z.string().optional(), ...PublicError.shape }),
]);
export type ServerFrame = z.infer<typeof ServerFrame>;
export type DeltaFrame = Extract<ServerFrame, { type: "message:delta" }>;

export type DecodedFrame = { ok: true; frame: ClientFrame } | { ok: false; id?: string; error: PublicError };

/** Reads one client frame. A bad frame is a value that says what is wrong, and keeps its `id` so that it can be answered. */
export function decodeClientFrame(text: string): DecodedFrame {
  if (text.length > MAX_FRAME_BYTES || new TextEncoder().encode(text).byteLength > MAX_FRAME_BYTES) {
    return {
      ok: false,
      error: { code: "too_large", message: "A frame is at most 1 MiB; send the content as a file." },
    };
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, error: { code: "invalid_json", message: "The frame is not valid JSON." } };
  }
  const parsed = ClientFrame.safeParse(value);
  if (parsed.success) return { ok: true, frame: parsed.data };
  const id = Id.safeParse((value as { id?: unknown } | null)?.id);
  return { ok: false, ...(id.success ? { id: id.data } : {}), error: errorFromZod(parsed.error) };
}
