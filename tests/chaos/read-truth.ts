/** What the object and Postgres hold of one conversation, read when everything is quiet. */
import * as z from "zod";
import { createApiClient } from "../../shared/client/api-client.ts";
import type { Message } from "../../shared/contract/message.ts";
import type { DatabaseCopy } from "./check-database.ts";
import type { Observed } from "./check-history.ts";
import type { Row, World } from "./world.ts";

const text = (row: Row, name: string): string => row[name] ?? "";
const number = (row: Row, name: string): number => Number(row[name] ?? Number.NaN);

export async function readObject(url: string, token: string, conversationId: string): Promise<Observed["object"]> {
  const api = createApiClient({ baseUrl: url, token });
  const messages: Message[] = [];
  let cursor: string | null = null;
  do {
    const page: { items: Message[]; nextCursor: string | null } = await api.messages.list(conversationId, {
      branches: "all",
      limit: 200,
      ...(cursor !== null && { cursor }),
    });
    messages.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null);
  const { events } = await api.conversations.exportJson(conversationId);
  return { events, messages };
}

const selections = [
  "select seq, event from conversation_events where conversation_id = $1 order by seq",
  `select id, seq, updated_seq, parent_id, role, text, metadata ->> 'finishReason' as finish_reason
   from messages where conversation_id = $1 and not deleted order by seq`,
  "select id, message_id, reply_to, receipt_id, state from turns where conversation_id = $1",
  "select id, turn_id from receipts where conversation_id = $1",
  "select last_seq, head_id from conversations where id = $1",
];

export async function readDatabase(world: World, conversationId: string): Promise<DatabaseCopy> {
  const statements = selections.map((query) => ({ query, params: [conversationId] }));
  const [events = [], messages = [], turns = [], receipts = [], [conversation = {}] = []] = await world.sql(
    "owner",
    statements,
  );
  return {
    events: events.map((row) => ({ seq: number(row, "seq"), event: z.json().parse(JSON.parse(text(row, "event"))) })),
    messages: messages.map((row) => ({
      id: text(row, "id"),
      seq: number(row, "seq"),
      updatedSeq: number(row, "updated_seq"),
      parentId: row.parent_id ?? null,
      role: text(row, "role"),
      text: text(row, "text"),
      finishReason: row.finish_reason ?? null,
    })),
    turns: turns.map((row) => ({
      id: text(row, "id"),
      messageId: text(row, "message_id"),
      replyTo: text(row, "reply_to"),
      receiptId: text(row, "receipt_id"),
      state: text(row, "state"),
    })),
    receipts: receipts.map((row) => ({ id: text(row, "id"), turnId: text(row, "turn_id") })),
    lastSeq: number(conversation, "last_seq"),
    headId: conversation.head_id ?? null,
  };
}
