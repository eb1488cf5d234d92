import { type SQL, sql } from "drizzle-orm";
import { AppError } from "../../domain/app-error.ts";
import type { DrainOutcome, EventBatch, EventSink } from "../../ports/conversation-store.ts";
import { type Database, type Drizzle, isTransient } from "./database.ts";
import { type Projection, projectEvents } from "./event-projection.ts";

/** The write-behind's end in Postgres. Whatever the size, a batch is one request with a handful of parameters. */
export function createEventSink(database: Database): EventSink {
  return {
    drain: async (scope, batch): Promise<DrainOutcome> => {
      if (batch.events.length === 0) return { ok: true };
      const events = [...batch.events].sort((one, other) => one.seq - other.seq);
      try {
        const projection = projectEvents(events);
        await database.scoped(scope, (db) => {
          const [first, ...rest] = statements({ ...batch, events }, projection).map((statement) =>
            db.execute(statement),
          );
          return first ? [first, ...rest] : [nothing(db)];
        });
        return { ok: true };
      } catch (error) {
        return refusalOf(error);
      }
    },
  };
}

const nothing = (db: Drizzle) => db.execute(sql`select 1`);

const NOT_THERE = "the conversation is not there for this user and workspace";

function refusalOf(error: unknown): DrainOutcome {
  const message = error instanceof Error ? error.message : String(error);
  const unavailable = error instanceof AppError && error.code === "database_unavailable";
  // Its owner may come back to the workspace: the log waits for that, it is not given up.
  const orphaned = message.includes(NOT_THERE);
  return { ok: false, retry: unavailable || orphaned || isTransient(error), message };
}

function statements(batch: EventBatch, made: Projection): SQL[] {
  const id = sql`${batch.conversationId}::uuid`;
  const all: (SQL | null)[] = [
    knownConversation(id, batch),
    appendEvents(id, batch),
    sameEvents(id, batch),
    made.messages.length > 0 ? putMessages(id, made) : null,
    made.failures.length > 0 ? failMessages(id, made) : null,
    made.turns.length > 0 ? putTurns(id, made) : null,
    made.turnStates.length > 0 ? moveTurns(id, made) : null,
    made.receipts.length > 0 ? putReceipts(id, made) : null,
    ...(made.deletions.length > 0 ? [deleteMessages(id, made), scrubEvents(id, made)] : []),
    moveConversation(id, made),
  ];
  return all.filter((statement) => statement !== null);
}

const json = (value: unknown): SQL => sql`${JSON.stringify(value)}::jsonb`;

/** Rows take their tenant from the conversation as it stands, so that a share that overtook the outbox is kept. */
const tenant = sql`conversation.workspace_id, conversation.owner_user_id, conversation.visibility`;

const knownConversation = (id: SQL, { workspaceId }: EventBatch): SQL => sql`
  select app.refuse(${NOT_THERE}::text)
  where not exists (select from conversations where id = ${id} and workspace_id = ${workspaceId}::uuid)`;

const appendEvents = (id: SQL, { events }: EventBatch): SQL => sql`
  insert into conversation_events (conversation_id, workspace_id, owner_user_id, visibility, seq, at, event)
  select conversation.id, ${tenant}, entry.seq, entry.at, entry.event
  from jsonb_to_recordset(${json(events)}) as entry (seq bigint, at timestamptz, event jsonb)
  cross join conversations as conversation
  where conversation.id = ${id}
  on conflict (conversation_id, seq) do nothing`;

/**
 * "Do nothing" must not hide that another event holds the place: then the whole batch is refused. Only what names an
 * event is compared, because the content of deleted messages is taken out of the log.
 */
const sameEvents = (id: SQL, { events }: EventBatch): SQL => {
  const named = events.map(({ seq, event }) => ({
    seq,
    type: event.type,
    message: "message" in event ? event.message.id : "messageId" in event ? event.messageId : null,
    turn: "turnId" in event ? event.turnId : null,
  }));
  return sql`
    select app.refuse('another event is at position ' || entry.seq)
    from jsonb_to_recordset(${json(named)}) as entry (seq bigint, type text, message text, turn text)
    left join conversation_events as stored on stored.conversation_id = ${id} and stored.seq = entry.seq
    where stored.seq is null
      or stored.event ->> 'type' is distinct from entry.type
      or coalesce(stored.event #>> '{message,id}', stored.event ->> 'messageId') is distinct from entry.message
      or stored.event ->> 'turnId' is distinct from entry.turn`;
};

const putMessages = (id: SQL, { messages }: Projection): SQL => sql`
  insert into messages (conversation_id, workspace_id, owner_user_id, visibility,
    id, seq, updated_seq, parent_id, role, parts, metadata, text, deleted, created_at)
  select conversation.id, ${tenant}, entry.id, entry.seq, entry.updated_seq, entry.parent_id, entry.role, entry.parts, entry.metadata,
    entry.text, entry.deleted, entry.created_at
  from jsonb_to_recordset(${json(messages)}) as entry (id uuid, seq bigint, updated_seq bigint, parent_id uuid, role text,
    parts jsonb, metadata jsonb, text text, deleted boolean, created_at timestamptz)
  cross join conversations as conversation
  where conversation.id = ${id}
  on conflict (conversation_id, id) do update set updated_seq = excluded.updated_seq, parent_id = excluded.parent_id,
    role = excluded.role, parts = excluded.parts, metadata = excluded.metadata, text = excluded.text,
    deleted = excluded.deleted
  where messages.updated_seq < excluded.updated_seq`;

const failMessages = (id: SQL, { failures }: Projection): SQL => sql`
  update messages set metadata = jsonb_set(messages.metadata, '{finishReason}', '"failed"'), updated_seq = failed.seq
  from jsonb_to_recordset(${json(failures)}) as failed (turn_id text, seq bigint)
  where messages.conversation_id = ${id} and messages.metadata ->> 'turnId' = failed.turn_id and messages.updated_seq < failed.seq`;

const deleteMessages = (id: SQL, { deletions }: Projection): SQL => sql`
  update messages set parts = '[]', metadata = '{}', text = '', deleted = true, updated_seq = gone.seq
  from jsonb_to_recordset(${json(deletions)}) as gone (id uuid, seq bigint)
  where messages.conversation_id = ${id} and messages.id = gone.id and messages.updated_seq < gone.seq`;

const scrubEvents = (id: SQL, { deletions }: Projection): SQL => sql`
  select app.scrub_message(${id}, gone.id) from jsonb_to_recordset(${json(deletions)}) as gone (id uuid, seq bigint)`;

const putTurns = (id: SQL, { turns }: Projection): SQL => sql`
  insert into turns (conversation_id, workspace_id, owner_user_id, visibility,
    id, message_id, reply_to, receipt_id, state, started_seq, updated_seq, started_at)
  select conversation.id, ${tenant}, entry.id, entry.message_id, entry.reply_to, entry.receipt_id, 'running', entry.started_seq,
    entry.started_seq, entry.started_at
  from jsonb_to_recordset(${json(turns)}) as entry (id uuid, message_id uuid, reply_to uuid, receipt_id uuid,
    started_seq bigint, started_at timestamptz)
  cross join conversations as conversation
  where conversation.id = ${id}
  on conflict (conversation_id, id) do nothing`;

const moveTurns = (id: SQL, { turnStates }: Projection): SQL => sql`
  update turns set state = entry.state, updated_seq = entry.updated_seq, usage = entry.usage, error = entry.error, ended_at = entry.ended_at
  from jsonb_to_recordset(${json(turnStates)}) as entry (id uuid, state text, updated_seq bigint, usage jsonb, error jsonb,
    ended_at timestamptz)
  where turns.conversation_id = ${id} and turns.id = entry.id and turns.updated_seq < entry.updated_seq`;

const putReceipts = (id: SQL, { receipts }: Projection): SQL => sql`
  insert into receipts (conversation_id, workspace_id, owner_user_id, visibility, id, turn_id, message_id, receipt, created_at)
  select conversation.id, ${tenant}, entry.id, entry.turn_id, entry.message_id, entry.receipt, entry.created_at
  from jsonb_to_recordset(${json(receipts)}) as entry (id uuid, turn_id uuid, message_id uuid, receipt jsonb, created_at timestamptz)
  cross join conversations as conversation
  where conversation.id = ${id}
  on conflict (conversation_id, id) do nothing`;

/** The version stays: it counts what was changed by request, and those wrote their own. */
const moveConversation = (id: SQL, { conversation, lastSeq, lastAt }: Projection): SQL => {
  const set: SQL[] = [
    sql`last_seq = ${lastSeq}::bigint`,
    sql`updated_at = greatest(updated_at, ${lastAt}::timestamptz)`,
    ...(conversation.head_id === undefined ? [] : [sql`head_id = ${conversation.head_id}::uuid`]),
    ...(conversation.title === undefined ? [] : [sql`title = ${conversation.title}`]),
    ...(conversation.model === undefined ? [] : [sql`model = ${conversation.model}`]),
    ...(conversation.agent_id === undefined ? [] : [sql`agent_id = ${conversation.agent_id}::uuid`]),
  ];
  return sql`update conversations set ${sql.join(set, sql`, `)} where id = ${id} and last_seq < ${lastSeq}::bigint`;
};
