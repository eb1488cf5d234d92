import * as z from "zod";
import { Id, MicroUsd, Seq, Text, Timestamp } from "./primitives.ts";

/** The longest text one message may carry, in UTF-16 units; a frame is at most 1 MiB anyway. */
export const MAX_TEXT_LENGTH = 512 * 1024;

const TextPart = z.object({ type: z.literal("text"), text: z.string() });
const ThinkingPart = z.object({
  type: z.literal("thinking"),
  text: z.string(),
  /** Opaque to everyone but the vendor that made it; sent back unmodified to that vendor, dropped for any other. */
  signature: z.string().optional(),
  redacted: z.string().optional(),
});
const FileFields = { fileId: Id, mediaType: z.string().max(255), name: z.string().max(255) };
const ImagePart = z.object({ type: z.literal("image"), ...FileFields });
const FilePart = z.object({ type: z.literal("file"), ...FileFields });
const ToolCallPart = z.object({
  type: z.literal("tool-call"),
  callId: z.string(),
  name: z.string(),
  input: z.unknown(),
  step: z.int().nonnegative(),
});
const ToolResultPart = z.object({
  type: z.literal("tool-result"),
  callId: z.string(),
  output: z.unknown(),
  isError: z.boolean(),
  step: z.int().nonnegative(),
});

/** One assistant message per turn: its tool calls and results are parts of it, each with the `step` it belongs to. */
export const Part = z.discriminatedUnion("type", [
  TextPart,
  ThinkingPart,
  ImagePart,
  FilePart,
  ToolCallPart,
  ToolResultPart,
]);
export type Part = z.infer<typeof Part>;

/** What a person may send: text and references to files uploaded before. */
export const UserPart = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("text"), text: Text.pipe(z.string().max(MAX_TEXT_LENGTH)) }),
  z.strictObject({ type: z.literal("image"), ...FileFields }),
  z.strictObject({ type: z.literal("file"), ...FileFields }),
]);

/** Tokens of one answer. `cachedTokens` are part of `inputTokens`, never on top of them. */
export const Usage = z.object({
  inputTokens: z.int().nonnegative(),
  outputTokens: z.int().nonnegative(),
  cachedTokens: z.int().nonnegative(),
});
export type Usage = z.infer<typeof Usage>;

export const FinishReason = z.enum(["stop", "length", "tool-calls", "refusal", "stopped", "failed"]);
export type FinishReason = z.infer<typeof FinishReason>;

export const MessageMetadata = z.object({
  provider: z.string().optional(),
  model: z.string().optional(),
  usage: Usage.optional(),
  microUsd: MicroUsd.optional(),
  latencyMs: z.int().optional(),
  firstTokenMs: z.int().optional(),
  receiptId: Id.optional(),
  agentId: Id.optional(),
  finishReason: FinishReason.optional(),
  /** The id of the turn that wrote this message, and the user message it answers. */
  turnId: Id.optional(),
  replyTo: Id.optional(),
  /** User messages that reached the model while this answer was being written: it answers them too. */
  steeredBy: z.array(Id).optional(),
  /** For each of them: how many parts of the answer stood before it. */
  steeredAt: z.array(z.int().nonnegative()).optional(),
  /** Which attached client sent it: `web`, `tui`, `api`, `bridge`. */
  client: z.string().optional(),
  /** The account that sent it; others may write in a shared conversation. */
  authorUserId: Id.optional(),
  forkedFrom: z.object({ conversationId: Id, messageId: Id }).optional(),
});
export type MessageMetadata = z.infer<typeof MessageMetadata>;

export const Role = z.enum(["user", "assistant", "tool", "system"]);

/** A message. `seq` is where it entered the log, `updatedSeq` moves whenever it changes. */
export const Message = z.object({
  id: Id,
  seq: Seq,
  updatedSeq: Seq,
  parentId: Id.nullable(),
  role: Role,
  parts: z.array(Part),
  metadata: MessageMetadata,
  createdAt: Timestamp,
});
export type Message = z.infer<typeof Message>;

/** The words of a message, without thinking and tools. */
export const textOf = (parts: readonly Part[]): string =>
  parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n\n");
