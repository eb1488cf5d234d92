import {
  bigint,
  boolean,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  unique,
  uuid,
} from "drizzle-orm/pg-core";
import type { ConversationEvent } from "../../../contract/events.ts";
import type { MessageMetadata, Part } from "../../../contract/message.ts";
import type { Receipt } from "../../../contract/receipt.ts";
import { tenantColumns, time } from "./columns.ts";

const position = (name: string) => bigint(name, { mode: "number" });

export const conversations = pgTable(
  "conversations",
  {
    id: uuid("id").primaryKey(),
    ...tenantColumns,
    title: text("title").notNull(),
    model: text("model"),
    agentId: uuid("agent_id"),
    personalityId: uuid("personality_id"),
    headId: uuid("head_id"),
    forkedFromConversationId: uuid("forked_from_conversation_id"),
    forkedFromMessageId: uuid("forked_from_message_id"),
    version: integer("version").notNull().default(1),
    /** Up to which event the columns above follow the log. */
    lastSeq: position("last_seq").notNull().default(0),
    createdAt: time("created_at").notNull(),
    updatedAt: time("updated_at").notNull(),
  },
  (table) => [
    // What the children's foreign keys point at: foreign-key checks bypass row-level security, so they carry the tenant.
    unique("conversations_tenant").on(table.id, table.workspaceId, table.ownerUserId, table.visibility),
    index("conversations_owner_recent").on(table.ownerUserId, table.updatedAt.desc(), table.id.desc()),
    index("conversations_workspace_recent").on(table.workspaceId, table.updatedAt.desc(), table.id.desc()),
  ],
);

/** Columns of a row that hangs on a conversation. */
const childColumns = { conversationId: uuid("conversation_id").notNull(), ...tenantColumns };

type ChildTable = Record<
  "conversationId" | "workspaceId" | "ownerUserId" | "visibility",
  Parameters<ReturnType<typeof unique>["on"]>[0]
>;

/** Ties a row to its conversation with the tenant; the row goes with it. */
export const belongsToConversation = (name: string, table: ChildTable) =>
  foreignKey({
    name: `${name}_conversation`,
    columns: [table.conversationId, table.workspaceId, table.ownerUserId, table.visibility],
    foreignColumns: [conversations.id, conversations.workspaceId, conversations.ownerUserId, conversations.visibility],
  })
    .onUpdate("cascade")
    .onDelete("cascade");

/** The log: append-only, the rest is made from it. */
export const conversationEvents = pgTable(
  "conversation_events",
  {
    ...childColumns,
    seq: position("seq").notNull(),
    at: time("at").notNull(),
    event: jsonb("event").$type<ConversationEvent>().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.conversationId, table.seq] }),
    belongsToConversation("conversation_events", table),
  ],
);

export const messages = pgTable(
  "messages",
  {
    ...childColumns,
    id: uuid("id").notNull(),
    seq: position("seq").notNull(),
    updatedSeq: position("updated_seq").notNull(),
    parentId: uuid("parent_id"),
    role: text("role", { enum: ["user", "assistant", "tool", "system"] }).notNull(),
    parts: jsonb("parts").$type<Part[]>().notNull(),
    metadata: jsonb("metadata").$type<MessageMetadata>().notNull(),
    /** The words alone, for search. */
    text: text("text").notNull(),
    deleted: boolean("deleted").notNull().default(false),
    createdAt: time("created_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.conversationId, table.id] }),
    index("messages_by_seq").on(table.conversationId, table.seq),
    belongsToConversation("messages", table),
  ],
);

export const turns = pgTable(
  "turns",
  {
    ...childColumns,
    id: uuid("id").notNull(),
    messageId: uuid("message_id").notNull(),
    replyTo: uuid("reply_to").notNull(),
    receiptId: uuid("receipt_id").notNull(),
    state: text("state", { enum: ["running", "completed", "interrupted", "failed"] }).notNull(),
    startedSeq: position("started_seq").notNull(),
    updatedSeq: position("updated_seq").notNull(),
    usage: jsonb("usage"),
    error: jsonb("error"),
    startedAt: time("started_at").notNull(),
    endedAt: time("ended_at"),
  },
  (table) => [primaryKey({ columns: [table.conversationId, table.id] }), belongsToConversation("turns", table)],
);

export const receipts = pgTable(
  "receipts",
  {
    ...childColumns,
    id: uuid("id").notNull(),
    turnId: uuid("turn_id").notNull(),
    messageId: uuid("message_id").notNull(),
    receipt: jsonb("receipt").$type<Receipt>().notNull(),
    createdAt: time("created_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.conversationId, table.id] }), belongsToConversation("receipts", table)],
);

/** Where a session is attached: a revocation finds the conversations whose sockets must close. */
export const sessionAttachments = pgTable(
  "session_attachments",
  {
    ...childColumns,
    credentialId: text("credential_id").notNull(),
    attachedUserId: uuid("attached_user_id").notNull(),
    attachedAt: time("attached_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.conversationId, table.credentialId] }),
    index("session_attachments_credential").on(table.credentialId),
    index("session_attachments_user").on(table.attachedUserId, table.workspaceId),
    belongsToConversation("session_attachments", table),
  ],
);
