import { type SQL, sql } from "drizzle-orm";
import { AppError } from "../../domain/app-error.ts";
import type { DrainOutcome, EventBatch, EventSink } from "../../ports/conversation-store.ts";
import { type Database, type Drizzle, sqlStateOf } from "./database.ts";
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

/** What `app.refuse` raises. */
const OUR_REFUSAL = "23M01";
const REFUSED_BY_POLICY = "42501";
const NOT_THERE = "the conversation is not there for this user and workspace";

/** What is wrong with the data itself, by class of SQLSTATE. Everything else may work another time. */
const REFUSALS: Readonly<Record<string, string>> = {
  "22": "it holds a value that Postgres cannot store",
  "23": "it contradicts what is stored",
  "54": "it is larger than Postgres can store",
};

/** Postgres' own words can quote what was to be stored; these never do. */
function refusalOf(error: unknown): DrainOutcome {
  if (error instanceof AppError && error.code === "database_unavailable")
    return { ok: false, retry: true, message: "it cannot be reached" };
  const state = sqlStateOf(error);
  if (state === null) return { ok: false, retry: false, message: "it cannot be read as an event" };
  const ours = state === OUR_REFUSAL && error instanceof Error ? error.message : null;
  // Its owner may come back to the workspace: the log waits for that, it is not given up.
  if (ours?.includes(NOT_THERE) || state === REFUSED_BY_POLICY)
    return { ok: false, retry: true, orphaned: true, message: NOT_THERE };
  const refusal = REFUSALS[state?.slice(0, 2) ?? ""];
  if (refusal === undefined) return { ok: false, retry: true, message: `it answered with SQLSTATE ${state ?? "none"}` };
  return { ok: false, retry: false, message: `${ours ?? refusal} (SQLSTATE ${state})` };
}

function statements(batch: EventBatch, made: Projection): SQL[] {
  const id = sql`${batch.conversationId}::uuid`;
  const all: (SQL | null)[] = [
    knownConversation(id, batch),
    appendEvents(id, batch),
    sameEvents(id, batch),
    made.messages.length > 0 ? putMessages(id, made) : null,
    made.turns.length > 0 ? putTurns(id, made) : null,
    made.failures.length > 0 ? failMessages(id, made) : null,
    made.turnStates.length > 0 ? moveTurns(id, made) : null,
    made.receipts.length > 0 ? putReceipts(id, made) : null,
    made.deletions.length > 0 ? deleteMessages(id, made) : null,
    made.messages.length + made.deletions.length > 0 ? scrubEvents(id, made) : null,
    moveConversation(id, made),
    batch.current ? setConversation(id, batch.current) : null,
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
      and stored.seq between ${events[0]?.seq ?? 0}::bigint and ${events.at(-1)?.seq ?? 0}::bigint
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
  where messages.updated_seq < excluded.updated_seq and not messages.deleted`;

const failMessages = (id: SQL, { failures }: Projection): SQL => sql`
  update messages set metadata = jsonb_set(messages.metadata, '{finishReason}', '"failed"'), updated_seq = failed.seq
  from jsonb_to_recordset(${json(failures)}) as failed (turn_id uuid, seq bigint)
  join turns on turns.conversation_id = ${id} and turns.id = failed.turn_id
  where messages.conversation_id = ${id} and messages.id = turns.message_id and messages.updated_seq < failed.seq and not messages.deleted`;

/** Final, also for one that was changed after it: its place among the changes stays that of the deletion. */
const deleteMessages = (id: SQL, { deletions }: Projection): SQL => sql`
  update messages set parts = '[]', metadata = '{}', text = '', deleted = true, updated_seq = gone.seq
  from jsonb_to_recordset(${json(deletions)}) as gone (id uuid, seq bigint)
  where messages.conversation_id = ${id} and messages.id = gone.id and not messages.deleted`;

/** Whatever comes after a deletion, or again: no word of the message stays in the log. */
const scrubEvents = (id: SQL, { messages, deletions }: Projection): SQL => sql`
  select app.scrub_message(${id}, messages.id) from messages
  where messages.conversation_id = ${id} and messages.deleted and messages.id in (
    select touched::uuid from jsonb_array_elements_text(${json([...messages, ...deletions].map((each) => each.id))}) as touched)`;

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

const setConversation = (id: SQL, current: NonNullable<EventBatch["current"]>): SQL => sql`
  update conversations set head_id = ${current.headId}::uuid, title = ${current.title}, model = ${current.model}
  where id = ${id}`;
