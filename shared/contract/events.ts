import * as z from "zod";
import { ErrorCode } from "./errors.ts";
import { Message, Usage } from "./message.ts";
import { Id, MicroUsd, Seq, Timestamp } from "./primitives.ts";
import { Receipt } from "./receipt.ts";

export const TurnError = z.object({ code: ErrorCode, message: z.string() });
export type TurnError = z.infer<typeof TurnError>;

const ModelRef = z.object({ provider: z.string(), model: z.string() });
/** `displayName`: which provider it is, where both are of one kind. */
const Rerouted = ModelRef.extend({ displayName: z.string().optional() });
const ToolCall = z.object({ callId: z.string(), name: z.string(), input: z.unknown(), step: z.int() });

/** What happened in a conversation, for ever: durable before it is sent, replayed by `seq`. */
export const ConversationEvent = z.discriminatedUnion("type", [
  z.object({ type: z.literal("message:added"), message: Message }),
  z.object({ type: z.literal("message:updated"), message: Message }),
  z.object({ type: z.literal("message:deleted"), messageId: Id }),
  z.object({ type: z.literal("head:moved"), messageId: Id.nullable() }),
  z.object({
    type: z.literal("turn:started"),
    turnId: Id,
    messageId: Id,
    replyTo: Id,
    /** What the answer hangs on in the tree: the head at this moment. */
    parentId: Id.nullable().optional(),
    receipt: Receipt,
  }),
  z.object({
    type: z.literal("tool:requested"),
    turnId: Id,
    call: ToolCall,
    /** True: it waits for a `tool:answer`. False: it runs from here on. */
    needsApproval: z.boolean(),
    /** Why somebody is asked, where it is not the tool's own rule. */
    why: z.string().optional(),
  }),
  z.object({
    type: z.literal("tool:completed"),
    turnId: Id,
    callId: z.string(),
    outcome: z.object({ output: z.unknown(), isError: z.boolean() }),
  }),
  /** Another model answers, or the same is asked again. */
  z.object({
    type: z.literal("turn:rerouted"),
    turnId: Id,
    from: Rerouted,
    to: Rerouted,
    why: z.string(),
    /** What the attempt that failed cost all the same; it is in the turn's sum. */
    microUsd: MicroUsd.optional(),
  }),
  /** The seam: the answer was cut and goes on from here. */
  z.object({
    type: z.literal("turn:continued"),
    turnId: Id,
    why: z.string(),
    /** How many parts of the answer stand before the seam. */
    afterParts: z.int().nonnegative().optional(),
    /** As with `turn:rerouted`. */
    microUsd: MicroUsd.optional(),
  }),
  z.object({ type: z.literal("turn:completed"), turnId: Id, message: Message, usage: Usage }),
  z.object({
    type: z.literal("turn:interrupted"),
    turnId: Id,
    message: Message,
    why: z.string(),
    willContinue: z.boolean(),
  }),
  z.object({
    type: z.literal("turn:failed"),
    turnId: Id,
    error: TurnError,
    canRetry: z.boolean(),
    /** What its attempts cost all the same; absent where they cost nothing. */
    usage: Usage.optional(),
    microUsd: MicroUsd.optional(),
  }),
  z.object({ type: z.literal("model:switched"), model: z.string().nullable(), pinned: z.boolean() }),
  z.object({ type: z.literal("agent:switched"), agent: z.object({ id: Id, name: z.string() }).nullable() }),
  z.object({
    type: z.literal("checkpoint:created"),
    upToSeq: Seq,
    tokensBefore: z.int(),
    tokensAfter: z.int(),
  }),
  z.object({ type: z.literal("title:changed"), title: z.string() }),
]);
export type ConversationEvent = z.infer<typeof ConversationEvent>;

/** An event at its place in the log. */
export const LoggedEvent = z.object({ seq: Seq, at: Timestamp, event: ConversationEvent });
export type LoggedEvent = z.infer<typeof LoggedEvent>;
