/**
 * Numbered migrations of the object's own SQLite. Append only: expand first, contract a release later, because old
 * code may meet a newer schema after a rollback. An object that was never born has no tables at all.
 */
const MIGRATIONS: readonly string[] = [
  `
  create table meta (key text primary key, value text not null) without rowid;
  create table events (seq integer primary key, at text not null, body text not null);
  create table messages (
    id text primary key, seq integer not null, updated_seq integer not null, parent_id text, role text not null,
    parts text not null, metadata text not null, created_at text not null, deleted integer not null default 0
  ) without rowid;
  create index messages_by_seq on messages (seq);
  create table turns (
    id text primary key, position integer not null, message_id text not null, reply_to text not null, model text,
    state text not null, accepted text not null, started_at integer, restarts integer not null default 0,
    receipt text, parts text
  ) without rowid;
  create index turns_by_state on turns (state, position);
  create index turns_by_question on turns (reply_to);
  create table parked (seq integer primary key, why text not null);
  create table alarms (name text primary key, at integer not null) without rowid;
  create table tickets (hash text primary key, proof text not null, expires_at integer not null) without rowid;
  create table revoked (credential_id text primary key, at integer not null) without rowid;
  `,
  `
  create table proofs (
    credential_hash text primary key, credential_id text not null, user_id text not null, principal text not null,
    proven_at integer not null
  ) without rowid;
  create index proofs_by_credential on proofs (credential_id);
  create table unrecorded (credential_id text primary key, user_id text not null, at integer not null) without rowid;
  create table idempotency_keys (
    key text primary key, fingerprint text not null, answer text not null, at integer not null
  ) without rowid;
  create index idempotency_keys_by_time on idempotency_keys (at);
  `,
  `
  alter table turns add column steers text;
  alter table turns add column progress text;
  create index turns_by_target on turns (steers) where steers is not null;
  `,
  `
  alter table parked add column job_id text;
  alter table parked add column event text not null default 'unknown';
  alter table parked add column status text not null default 'failed';
  alter table parked add column attempts integer not null default 1;
  alter table parked add column first_at integer not null default 0;
  alter table parked add column last_at integer not null default 0;
  alter table parked add column revision integer not null default 1;
  alter table parked add column reported integer not null default 0;
  `,
  `
  alter table turns add column asked_by text;
  `,
];

/** Whether this object holds a conversation. Reads only. */
export function hasSchema(sql: SqlStorage): boolean {
  return sql.exec("select 1 from sqlite_master where type = 'table' and name = 'meta'").toArray().length > 0;
}

/** Brings the schema up to date; safe to repeat. */
export function migrateSchema(storage: DurableObjectStorage): void {
  storage.transactionSync(() => {
    const version = hasSchema(storage.sql)
      ? Number(storage.sql.exec("select value from meta where key = 'schema'").toArray()[0]?.value ?? 0)
      : 0;
    MIGRATIONS.slice(version).forEach((migration) => {
      storage.sql.exec(migration);
    });
    if (version < MIGRATIONS.length) {
      storage.sql.exec("insert or replace into meta (key, value) values ('schema', ?)", String(MIGRATIONS.length));
    }
  });
}
