import type { Conversation, Visibility } from "../contract/conversation.ts";
import type { LoggedEvent } from "../contract/events.ts";
import type { TurnConfiguration } from "../domain/providers/turn-configuration.ts";

/** On whose behalf a row is read or written; row-level security holds the rest. */
export interface Scope {
  userId: string;
}

export interface NewConversation {
  id: string;
  workspaceId: string;
  title: string;
  model: string | null;
  agentId: string | null;
  personalityId: string | null;
  forkedFrom: { conversationId: string; messageId: string } | null;
  at: string;
}

export interface ConversationChanges {
  title?: string;
  visibility?: Visibility;
  model?: string | null;
  headId?: string | null;
}

/** Stored conversations that can be listed. Rows of others do not exist for the caller. */
export interface ConversationStore {
  /** @throws AppError `not_found` when the caller may not write in that workspace. */
  create(scope: Scope, conversation: NewConversation): Promise<Conversation>;
  find(scope: Scope, id: string): Promise<{ conversation: Conversation; lastSeq: number } | null>;
  list(
    scope: Scope,
    page: { cursor?: string | undefined; limit: number; workspaceId?: string | undefined },
  ): Promise<{ items: Conversation[]; nextCursor: string | null }>;
  /**
   * @returns null when the caller may not change it or it is gone.
   * @throws AppError `version_conflict` when `ifVersion` is stale.
   */
  update(scope: Scope, id: string, changes: ConversationChanges, ifVersion?: number): Promise<Conversation | null>;
  /**
   * Erases the conversation and everything that hangs on it.
   * @returns whether there was one; false also when it is gone already.
   * @throws AppError `not_found` when it is the caller's, in a workspace that they have left.
   */
  erase(scope: Scope, id: string): Promise<boolean>;
  /** Ids of the caller's own, also in workspaces that they have left: what the end of their account must erase. */
  ownIds(scope: Scope): Promise<string[]>;
  /** As `erase`, for a conversation of the caller's own, wherever it is. */
  eraseOwn(scope: Scope, id: string): Promise<void>;
  /** Every event from `afterSeq` on, oldest first, at most `limit` and a few megabytes: how an object that lost its storage is rebuilt. */
  events(scope: Scope, id: string, afterSeq: number, limit: number): Promise<LoggedEvent[]>;
}

/** What the write-behind brings to Postgres in one batch. */
export interface EventBatch {
  conversationId: string;
  workspaceId: string;
  events: LoggedEvent[];
  /** Where the conversation stands, whatever these events say of it: for events that come late. */
  current?: Pick<Conversation, "headId" | "title" | "model">;
}

/** `message` says why in our own words: never with anything of an event's content. */
export type DrainOutcome =
  | { ok: true }
  /**
   * Try the same again later: no connection, SQLSTATE 08, 53, 57, 40, or a schema that does not fit. `orphaned`: whoever
   * asked may not write there, or it is gone; they may come back.
   */
  | { ok: false; retry: true; message: string; orphaned?: boolean }
  /** The data itself is refused (22, 23, 54, or another event in its place): bisect, park. */
  | { ok: false; retry: false; message: string };

/** Where the log drains to. At least once, with the effect of exactly once: the key is `(conversation_id, seq)`. */
export interface EventSink {
  /** Appends to `conversation_events` and moves `messages`, `turns`, `receipts` and the conversation's head, in one transaction. Never throws. */
  drain(scope: Scope, batch: EventBatch): Promise<DrainOutcome>;
}

export type { TurnConfiguration } from "../domain/providers/turn-configuration.ts";

export interface ConfigurationReader {
  /**
   * Everything a turn depends on, in one round trip, for whoever asks: a user's own providers serve that user alone.
   * `scope` must be somebody who can see the workspace; for anybody else there is only what the system has.
   */
  read(scope: Scope, workspaceId: string): Promise<TurnConfiguration>;
}
