import * as z from "zod";
import { LoggedEvent } from "./events.ts";
import { AckState, CONTENT_ERROR, hasContent, messageBodyFields } from "./frames.ts";
import { Message } from "./message.ts";
import { Id, label, Page, Seq, Timestamp } from "./primitives.ts";

export const Visibility = z.enum(["private", "workspace"]);
export type Visibility = z.infer<typeof Visibility>;

/** A conversation as lists and reads show it. `version` is what `ETag` and `If-Match` carry. */
export const Conversation = z.object({
  id: Id,
  workspaceId: Id,
  ownerUserId: Id,
  visibility: Visibility,
  title: z.string(),
  /** The model that `/model` or the creator pinned; null means that each message is routed. */
  model: z.string().nullable(),
  agentId: Id.nullable(),
  personalityId: Id.nullable(),
  headId: Id.nullable(),
  forkedFrom: z.object({ conversationId: Id, messageId: Id }).nullable(),
  version: z.int().positive(),
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type Conversation = z.infer<typeof Conversation>;

const Title = label(200);
const Model = label(200);

export const CreateConversation = z.strictObject({
  title: Title.optional(),
  workspaceId: Id.optional(),
  agentId: Id.optional(),
  personalityId: Id.optional(),
  model: Model.optional(),
});

export const UpdateConversation = z
  .strictObject({ title: Title.optional(), visibility: Visibility.optional(), model: Model.nullable().optional() })
  .refine((body) => Object.keys(body).length > 0, { message: "name at least one field to change" });
export type UpdateConversation = z.infer<typeof UpdateConversation>;

export const ListConversations = Page.extend({ workspaceId: Id.optional() });

export const SendMessage = z
  .strictObject({ id: Id.optional(), ...messageBodyFields })
  .refine(hasContent, CONTENT_ERROR);
export type SendMessage = z.infer<typeof SendMessage>;

export const SendAccepted = z.object({
  messageId: Id,
  seq: Seq,
  state: AckState,
  turnId: Id.nullable(),
});
export type SendAccepted = z.infer<typeof SendAccepted>;

export const EditMessage = z
  .strictObject({ text: messageBodyFields.text, parts: messageBodyFields.parts })
  .refine(hasContent, CONTENT_ERROR);
export type EditMessage = z.infer<typeof EditMessage>;

export const ListMessages = z.strictObject({
  after: z.coerce.number().int().nonnegative().optional(),
  before: z.coerce.number().int().positive().optional(),
  branches: z.enum(["active", "all"]).default("active"),
  cursor: z.string().max(64).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});
export type ListMessages = z.infer<typeof ListMessages>;

export const ForkConversation = z.strictObject({ messageId: Id });
export const StopTurn = z.strictObject({ turnId: Id.optional() });
export const ExportFormat = z.enum(["markdown", "json"]);
export type ExportFormat = z.infer<typeof ExportFormat>;

/** The portable form of a conversation: every branch, every event's effect. Import gives an equal conversation. */
export const ConversationExport = z.object({
  format: z.literal("mosaic.conversation.v1"),
  exportedAt: Timestamp,
  conversation: Conversation,
  messages: z.array(Message),
  events: z.array(LoggedEvent),
});
export type ConversationExport = z.infer<typeof ConversationExport>;

/** The most events of one import. */
export const MAX_IMPORT_EVENTS = 100_000;

/** What `POST /conversations/import` takes: an export. Its messages are made from the events again, and not read. */
export const ImportConversation = z.strictObject({
  format: z.literal("mosaic.conversation.v1", {
    error: "is not `mosaic.conversation.v1`; import the JSON of a conversation's export",
  }),
  exportedAt: Timestamp,
  conversation: Conversation,
  messages: z.array(z.unknown()).optional(),
  events: z.array(LoggedEvent).max(MAX_IMPORT_EVENTS),
});
export type ImportConversation = z.infer<typeof ImportConversation>;

export const Ticket = z.object({ ticket: z.string(), expiresAt: Timestamp });

/** What fills the model's window at the next message. */
export const ConversationContext = z.object({
  model: z.object({ provider: z.string(), id: z.string(), contextWindow: z.int().nullable() }).nullable(),
  usedTokens: z.int(),
  windowTokens: z.int().nullable(),
  messages: z.int(),
  included: z.int(),
  leftOut: z.int(),
});
export type ConversationContext = z.infer<typeof ConversationContext>;
