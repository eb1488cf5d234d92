import { and, desc, eq, type SQL, sql } from "drizzle-orm";
import type { Conversation } from "../../contract/conversation.ts";
import { LoggedEvent } from "../../contract/events.ts";
import { Id } from "../../contract/primitives.ts";
import { AppError } from "../../domain/app-error.ts";
import type { ConversationChanges, ConversationStore, NewConversation, Scope } from "../../ports/conversation-store.ts";
import { type Database, sqlStateOf } from "./database.ts";
import { readCursor, writeCursor } from "./list-cursor.ts";
import { conversations } from "./schema/conversations.ts";

const REFUSED_BY_POLICY = "42501";
const DUPLICATE = "23505";
/** What a page of events holds at most, beside its first event. */
const PAGE_BYTES = 4_000_000;

/** Conversations in Postgres; what a caller may see and change is row-level security's business. */
export function createConversationStore(database: Database): ConversationStore {
  return {
    create: (scope, conversation) => create(database, scope, conversation),
    find: async (scope, id) => {
      const [rows] = await database.scoped(scope, (db) => [
        db.select().from(conversations).where(eq(conversations.id, id)),
      ]);
      const row = rows[0];
      return row ? { conversation: conversationOf(row), lastSeq: row.lastSeq } : null;
    },
    list: (scope, page) => list(database, scope, page),
    update: (scope, id, changes, ifVersion) => update(database, scope, id, changes, ifVersion),
    erase: async (scope, id) => {
      const [rows] = await database.scoped(scope, (db) => [
        db.delete(conversations).where(eq(conversations.id, id)).returning({ id: conversations.id }),
      ]);
      if (rows.length > 0) return true;
      if ((await ownIds(database, scope)).includes(id))
        throw new AppError("not_found", "There is no such conversation.");
      return false;
    },
    ownIds: (scope) => ownIds(database, scope),
    eraseOwn: async (scope, id) => {
      await database.scoped(scope, (db) => [db.execute(sql`select app.erase_own_conversation(${id}::uuid)`)]);
    },
    events: async (scope, id, afterSeq, limit) => {
      const [rows] = await database.scoped(scope, (db) => [
        db.execute(sql`
          select seq::float8 as seq, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at, event from (
            select *, sum(octet_length(event::text)) over (order by seq) - octet_length(event::text) as before
            from (
              select seq, at, event from conversation_events
              where conversation_id = ${id} and seq > ${afterSeq}::bigint order by seq limit ${limit}
            ) as page
          ) as measured where before < ${PAGE_BYTES} order by seq`),
      ]);
      return rows.rows.map((row) => LoggedEvent.parse(row));
    },
  };
}

async function ownIds(database: Database, scope: Scope): Promise<string[]> {
  const [own] = await database.scoped(scope, (db) => [db.execute(sql`select app.own_conversations() as id`)]);
  return own.rows.map((row) => Id.parse(row.id));
}

async function create(database: Database, scope: Scope, made: NewConversation): Promise<Conversation> {
  const at = new Date(made.at);
  try {
    const [rows] = await database.scoped(scope, (db) => [
      db
        .insert(conversations)
        .values({
          id: made.id,
          workspaceId: made.workspaceId,
          ownerUserId: scope.userId,
          title: made.title,
          model: made.model,
          agentId: made.agentId,
          personalityId: made.personalityId,
          forkedFromConversationId: made.forkedFrom?.conversationId ?? null,
          forkedFromMessageId: made.forkedFrom?.messageId ?? null,
          createdAt: at,
          updatedAt: at,
        })
        .returning(),
    ]);
    const row = rows[0];
    if (row) return conversationOf(row);
  } catch (error) {
    const state = sqlStateOf(error);
    if (state === DUPLICATE)
      throw new AppError("conflict", "A conversation with this id exists already.", { cause: error });
    if (state !== REFUSED_BY_POLICY) throw error;
  }
  throw new AppError("not_found", "There is no workspace with this id in which you may start a conversation.");
}

async function list(
  database: Database,
  scope: Scope,
  page: { cursor?: string | undefined; limit: number; workspaceId?: string | undefined },
): Promise<{ items: Conversation[]; nextCursor: string | null }> {
  const after = page.cursor === undefined ? null : readCursor(page.cursor);
  const conditions: (SQL | undefined)[] = [
    page.workspaceId === undefined ? undefined : eq(conversations.workspaceId, page.workspaceId),
    after
      ? sql`(${conversations.updatedAt}, ${conversations.id}) < (${after.at}::timestamptz, ${after.id}::uuid)`
      : undefined,
  ];
  const [rows] = await database.scoped(scope, (db) => [
    db
      .select()
      .from(conversations)
      .where(and(...conditions))
      .orderBy(desc(conversations.updatedAt), desc(conversations.id))
      .limit(page.limit + 1),
  ]);
  const items = rows.slice(0, page.limit).map(conversationOf);
  const last = items.at(-1);
  return {
    items,
    nextCursor: rows.length > page.limit && last ? writeCursor({ at: last.updatedAt, id: last.id }) : null,
  };
}

async function update(
  database: Database,
  scope: Scope,
  id: string,
  changes: ConversationChanges,
  ifVersion: number | undefined,
): Promise<Conversation | null> {
  const isMine = eq(conversations.id, id);
  const isCurrent = ifVersion === undefined ? undefined : eq(conversations.version, ifVersion);
  try {
    const [before, after] = await database.scoped(scope, (db) => [
      db.select({ version: conversations.version }).from(conversations).where(isMine),
      db
        .update(conversations)
        .set({
          ...changes,
          version: sql`${conversations.version} + 1`,
          updatedAt: sql`greatest(${conversations.updatedAt}, now())`,
        })
        .where(and(isMine, isCurrent))
        .returning(),
    ]);
    const row = after[0];
    if (row) return conversationOf(row);
    const found = before[0];
    if (found && ifVersion !== undefined && found.version !== ifVersion) {
      throw new AppError(
        "version_conflict",
        `The conversation was changed since you read it; it is at version ${found.version} now.`,
      );
    }
    return null;
  } catch (error) {
    // Someone else's shared conversation may be edited, but not taken away from the others.
    if (sqlStateOf(error) === REFUSED_BY_POLICY) return null;
    throw error;
  }
}

function conversationOf(row: typeof conversations.$inferSelect): Conversation {
  const { forkedFromConversationId, forkedFromMessageId, lastSeq: _, createdAt, updatedAt, ...rest } = row;
  return {
    ...rest,
    forkedFrom:
      forkedFromConversationId && forkedFromMessageId
        ? { conversationId: forkedFromConversationId, messageId: forkedFromMessageId }
        : null,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
}
