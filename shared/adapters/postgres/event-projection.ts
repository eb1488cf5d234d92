import type { LoggedEvent } from "../../contract/events.ts";
import { type Message, textOf } from "../../contract/message.ts";
import type { Receipt } from "../../contract/receipt.ts";
import { changesOf } from "../../domain/conversation/project.ts";

interface MessageRow {
  id: string;
  seq: number;
  updated_seq: number;
  parent_id: string | null;
  role: Message["role"];
  parts: unknown;
  metadata: unknown;
  text: string;
  deleted: boolean;
  created_at: string;
}

interface TurnRow {
  id: string;
  message_id: string;
  reply_to: string;
  receipt_id: string;
  started_seq: number;
  started_at: string;
}

interface TurnState {
  id: string;
  state: "running" | "completed" | "interrupted" | "failed";
  updated_seq: number;
  usage: unknown;
  error: unknown;
  ended_at: string | null;
}

interface ReceiptRow {
  id: string;
  turn_id: string;
  message_id: string;
  receipt: Receipt;
  created_at: string;
}

/** Columns of the conversation that the events move; a missing key moves nothing. */
interface ConversationPatch {
  head_id?: string | null;
  title?: string;
  model?: string | null;
  agent_id?: string | null;
}

/** What a batch of events does to the tables that are made from the log; at most one row for each key. */
export interface Projection {
  messages: MessageRow[];
  deletions: { id: string; seq: number }[];
  /** Turns that failed: their message, written in this batch or before, says so. */
  failures: { turn_id: string; seq: number }[];
  turns: TurnRow[];
  turnStates: TurnState[];
  receipts: ReceiptRow[];
  conversation: ConversationPatch;
  lastSeq: number;
  lastAt: string;
}

/** @param events - oldest first, at least one */
export function projectEvents(events: readonly LoggedEvent[]): Projection {
  const messages = new Map<string, MessageRow>();
  const deletions = new Map<string, { id: string; seq: number }>();
  const failures: Projection["failures"] = [];
  const turns = new Map<string, TurnRow>();
  const states = new Map<string, TurnState>();
  const receipts = new Map<string, ReceiptRow>();
  const conversation: ConversationPatch = {};
  for (const logged of events) {
    for (const change of changesOf(logged)) {
      // A tombstone is final: nothing that comes after it brings the message back.
      if (change.kind === "put" && !deletions.has(change.message.id))
        messages.set(change.message.id, messageRow(change.message, logged.seq));
      if (change.kind === "delete" && !deletions.has(change.messageId)) {
        deletions.set(change.messageId, { id: change.messageId, seq: logged.seq });
        const row = messages.get(change.messageId);
        if (row)
          messages.set(row.id, { ...row, parts: [], metadata: {}, text: "", deleted: true, updated_seq: logged.seq });
      }
      if (change.kind === "fail") failures.push({ turn_id: change.turnId, seq: logged.seq });
      if (change.kind === "head") conversation.head_id = change.messageId;
      if (change.kind === "model") conversation.model = change.model;
      if (change.kind === "title") conversation.title = change.title;
    }
    const { event } = logged;
    if (event.type === "agent:switched") conversation.agent_id = event.agent?.id ?? null;
    if (event.type === "turn:started") {
      const { turnId: id, messageId: message_id, replyTo: reply_to, receipt } = event;
      turns.set(id, {
        id,
        message_id,
        reply_to,
        receipt_id: receipt.id,
        started_seq: logged.seq,
        started_at: logged.at,
      });
      receipts.set(receipt.id, { id: receipt.id, turn_id: id, message_id, receipt, created_at: logged.at });
    }
    const state = turnState(logged);
    if (state) states.set(state.id, state);
  }
  const last = events.at(-1);
  return {
    messages: [...messages.values()],
    deletions: [...deletions.values()],
    failures,
    turns: [...turns.values()],
    turnStates: [...states.values()],
    receipts: [...receipts.values()],
    conversation,
    lastSeq: last?.seq ?? 0,
    lastAt: last?.at ?? "",
  };
}

const messageRow = (message: Message, seq: number): MessageRow => ({
  id: message.id,
  seq: message.seq,
  updated_seq: seq,
  parent_id: message.parentId,
  role: message.role,
  parts: message.parts,
  metadata: message.metadata,
  text: textOf(message.parts),
  deleted: false,
  created_at: message.createdAt,
});

function turnState({ seq, at, event }: LoggedEvent): TurnState | null {
  const none = { updated_seq: seq, usage: null, error: null };
  switch (event.type) {
    case "turn:started":
    case "turn:continued":
      return { ...none, id: event.turnId, state: "running", ended_at: null };
    case "turn:completed":
      return { ...none, id: event.turnId, state: "completed", usage: event.usage, ended_at: at };
    case "turn:interrupted":
      return {
        ...none,
        id: event.turnId,
        state: "interrupted",
        error: { why: event.why, willContinue: event.willContinue },
        ended_at: at,
      };
    case "turn:failed":
      return {
        ...none,
        id: event.turnId,
        state: "failed",
        usage: event.usage ?? null,
        error: event.error,
        ended_at: at,
      };
    default:
      return null;
  }
}
