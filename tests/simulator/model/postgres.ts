/**
 * Postgres as the object meets it: the real keys, refusals and guards of the write-behind's statements over the shipped
 * projection, in memory. What travels there and back, and what is lost on the way, is `network-to.ts`'s business.
 */

import { type Projection, projectEvents } from "../../../shared/adapters/postgres/event-projection.ts";
import type { Conversation } from "../../../shared/contract/conversation.ts";
import type { LoggedEvent } from "../../../shared/contract/events.ts";
import type { ConversationChanges, DrainOutcome } from "../../../shared/ports/conversation-store.ts";

/** Text that the model refuses for what it is, as Postgres does some. */
export const POISON = "☠";

type MessageRow = Projection["messages"][number];
export interface TurnRow {
  id: string;
  message_id: string;
  reply_to: string;
  state: string;
  started_seq: number;
  updated_seq: number;
}

const nameOf = ({ event }: LoggedEvent): string => {
  const message = "message" in event ? event.message.id : "messageId" in event ? event.messageId : null;
  return `${event.type} ${message} ${"turnId" in event ? event.turnId : null}`;
};

const isPoison = ({ event }: LoggedEvent): boolean =>
  event.type === "message:added" &&
  event.message.parts.some((part) => part.type === "text" && part.text.includes(POISON));

export class Postgres {
  conversation: Conversation | null = null;
  lastSeq = 0;
  readonly events = new Map<number, LoggedEvent>();
  readonly messages = new Map<string, MessageRow>();
  readonly turns = new Map<string, TurnRow>();
  readonly receipts = new Set<string>();
  /** The newest revision of every job, by id. */
  readonly jobs = new Map<string, number>();
  readonly attachments = new Set<string>();

  constructor(conversation: Conversation | null) {
    this.conversation = conversation;
  }

  /** One transaction. */
  drain(events: readonly LoggedEvent[]): DrainOutcome {
    const [first] = events;
    if (!first) return { ok: true };
    if (!this.conversation) return { ok: false, retry: true, message: "the conversation is not there" };
    for (const logged of events) {
      const stored = this.events.get(logged.seq);
      if (stored && nameOf(stored) !== nameOf(logged))
        return { ok: false, retry: false, message: `another event is at position ${logged.seq}` };
      if (isPoison(logged)) return { ok: false, retry: false, message: "invalid input syntax" };
    }
    for (const logged of events) if (!this.events.has(logged.seq)) this.events.set(logged.seq, logged);
    this.#project(projectEvents(events));
    return { ok: true };
  }

  after(seq: number, limit: number): LoggedEvent[] {
    const page: LoggedEvent[] = [];
    for (const logged of [...this.events.values()].sort((one, other) => one.seq - other.seq)) {
      if (logged.seq > seq && page.length < limit) page.push(logged);
    }
    return page;
  }

  update(changes: ConversationChanges, at: string): Conversation | null {
    if (!this.conversation) return null;
    this.conversation = {
      ...this.conversation,
      ...(changes.title === undefined ? {} : { title: changes.title }),
      ...(changes.visibility === undefined ? {} : { visibility: changes.visibility }),
      ...(changes.model === undefined ? {} : { model: changes.model }),
      version: this.conversation.version + 1,
      updatedAt: at,
    };
    return this.conversation;
  }

  #project(made: Projection): void {
    for (const row of made.messages) {
      const stored = this.messages.get(row.id);
      if (!stored || stored.updated_seq < row.updated_seq) this.messages.set(row.id, { ...stored, ...row });
    }
    for (const { turn_id, seq } of made.failures) this.#fail(turn_id, seq);
    for (const { id, message_id, reply_to, started_seq } of made.turns) {
      if (this.turns.has(id)) continue;
      this.turns.set(id, { id, message_id, reply_to, started_seq, state: "running", updated_seq: started_seq });
    }
    for (const { id, state, updated_seq } of made.turnStates) {
      const stored = this.turns.get(id);
      if (stored && stored.updated_seq < updated_seq) this.turns.set(id, { ...stored, state, updated_seq });
    }
    for (const { id } of made.receipts) this.receipts.add(id);
    for (const { id, seq } of made.deletions) this.#delete(id, seq);
    if (!this.conversation || this.lastSeq >= made.lastSeq) return;
    const { head_id, title, model } = made.conversation;
    this.lastSeq = made.lastSeq;
    this.conversation = {
      ...this.conversation,
      ...(head_id === undefined ? {} : { headId: head_id }),
      ...(title === undefined ? {} : { title }),
      ...(model === undefined ? {} : { model }),
    };
  }

  #fail(turnId: string, seq: number): void {
    for (const [id, row] of this.messages) {
      const metadata = row.metadata as { turnId?: string };
      if (metadata.turnId !== turnId || row.updated_seq >= seq) continue;
      this.messages.set(id, { ...row, updated_seq: seq, metadata: { ...metadata, finishReason: "failed" } });
    }
  }

  #delete(id: string, seq: number): void {
    const row = this.messages.get(id);
    if (row && row.updated_seq < seq)
      this.messages.set(id, { ...row, parts: [], metadata: {}, text: "", deleted: true, updated_seq: seq });
    for (const [at, logged] of this.events) {
      const { event } = logged;
      if (!("message" in event) || event.message.id !== id) continue;
      this.events.set(at, { ...logged, event: { ...event, message: { ...event.message, parts: [] } } });
    }
  }
}
