import type { Conversation } from "../../shared/contract/conversation.ts";
import type { ConversationEvent, LoggedEvent } from "../../shared/contract/events.ts";
import type { Message, Usage } from "../../shared/contract/message.ts";
import { type Change, changesOf } from "../../shared/domain/conversation/project.ts";
import { storable } from "../../shared/domain/conversation/storable.ts";
import { hasSchema, migrateSchema } from "./schema.ts";
import { type MessageRow, type StoredMessage, toMessage } from "./stored-message.ts";

/** Characters of messages kept in memory; a turn reads the whole path that its model can see. */
const MAX_REMEMBERED_CHARACTERS = 4_000_000;

/**
 * The truth of one conversation: an append-only log in the object's SQLite, with the current messages beside it. The
 * log is also the outbox: what lies behind `drainedSeq` waits for Postgres. Memory only caches what the rows say.
 */
export class Journal {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  readonly #source: { now(): Date; newId(): string };
  #conversation: Conversation | null = null;
  #lastSeq = 0;
  #restoring = false;
  readonly #remembered = new Map<string, StoredMessage>();
  #rememberedCharacters = 0;
  /** Rows of `meta` as they were read or written last: some are asked for many times a message. */
  readonly #meta = new Map<string, string | null>();

  constructor(storage: DurableObjectStorage, source: { now(): Date; newId(): string }) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#source = source;
    if (!hasSchema(this.#sql)) return;
    migrateSchema(storage);
    this.#load();
  }

  get conversation(): Conversation | null {
    return this.#restoring ? null : this.#conversation;
  }

  /** The conversation of an object that is known to be born. */
  get born(): Conversation {
    if (!this.#conversation) throw new Error("This object holds no conversation.");
    return this.#conversation;
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }

  get drainedSeq(): number {
    return Number(this.meta("drainedSeq") ?? 0);
  }

  /** Everything in `work` becomes durable together or not at all. Synchronous: nothing may be awaited inside. */
  transact<Value>(work: () => Value): Value {
    const before = { conversation: this.#conversation, lastSeq: this.#lastSeq, restoring: this.#restoring };
    try {
      return this.#storage.transactionSync(work);
    } catch (error) {
      this.#conversation = before.conversation;
      this.#lastSeq = before.lastSeq;
      this.#restoring = before.restoring;
      this.#meta.clear();
      this.#forgetMessages();
      throw error;
    }
  }

  /** The first write of an object: its conversation, with an empty log. */
  birth(conversation: Conversation): void {
    this.restore(conversation);
    this.transact(() => this.endRestoring(0));
  }

  /** Begins anew, from nothing: until `endRestoring` there is no conversation here, also after a crash. */
  restore(conversation: Conversation): void {
    migrateSchema(this.#storage);
    this.forget();
    this.transact(() => {
      for (const table of ["events", "messages", "turns", "parked"]) this.#sql.exec(`delete from ${table}`);
      this.#sql.exec("delete from meta where key <> 'schema'");
      this.setMeta("restoring", "1");
    });
    this.#restoring = true;
    this.saveConversation(conversation);
  }

  /** Events as they were logged before, with the positions they have. Call inside `transact`. */
  replay(log: readonly LoggedEvent[]): void {
    for (const logged of log) this.#write(logged);
  }

  /** What was restored is the conversation now. Call inside `transact`. @param drainedSeq how far Postgres has it */
  endRestoring(drainedSeq: number): void {
    this.#sql.exec("delete from meta where key = 'restoring'");
    this.#meta.clear();
    this.setMeta("drainedSeq", String(drainedSeq));
    this.setMeta("logId", this.#source.newId());
    this.#restoring = false;
  }

  /** Appends events and their effect on the messages. Call inside `transact`; send to clients after it. */
  append(...events: ConversationEvent[]): LoggedEvent[] {
    const at = this.#source.now().toISOString();
    return events.map((event) => {
      const logged: LoggedEvent = { seq: this.#lastSeq + 1, at, event: storable(event) };
      this.#write(logged);
      return logged;
    });
  }

  /** The storage is about to be erased; nothing may be read from it any more. */
  forget(): void {
    this.#conversation = null;
    this.#lastSeq = 0;
    this.#restoring = false;
    this.#meta.clear();
    this.#forgetMessages();
  }

  saveConversation(conversation: Conversation): void {
    this.#conversation = conversation;
    this.setMeta("conversation", JSON.stringify(conversation));
  }

  meta(key: string): string | null {
    const known = this.#meta.get(key);
    if (known !== undefined) return known;
    const [row] = this.#sql.exec<{ value: string }>("select value from meta where key = ?", key).toArray();
    const value = row?.value ?? null;
    this.#meta.set(key, value);
    return value;
  }

  setMeta(key: string, value: string): void {
    this.#sql.exec(
      "insert into meta (key, value) values (?, ?) on conflict (key) do update set value = excluded.value",
      key,
      value,
    );
    this.#meta.set(key, value);
  }

  /** Tokens and cost of all answers so far. */
  usage(): Usage & { microUsd: number } {
    const stored = this.meta("usage");
    return stored ? JSON.parse(stored) : { inputTokens: 0, outputTokens: 0, cachedTokens: 0, microUsd: 0 };
  }

  /** `contextTokens`: how full the context is from here on; null where that is not known anew. */
  addUsage(usage: Usage, microUsd: number, contextTokens: number | null): void {
    const sum = this.usage();
    if (contextTokens !== null) this.setMeta("contextTokens", String(contextTokens));
    this.setMeta(
      "usage",
      JSON.stringify({
        inputTokens: sum.inputTokens + usage.inputTokens,
        outputTokens: sum.outputTokens + usage.outputTokens,
        cachedTokens: sum.cachedTokens + usage.cachedTokens,
        microUsd: sum.microUsd + microUsd,
      }),
    );
  }

  eventsAfter(seq: number, limit: number): LoggedEvent[] {
    return this.#sql
      .exec<{ seq: number; at: string; body: string }>(
        "select seq, at, body from events where seq > ? order by seq limit ?",
        seq,
        limit,
      )
      .toArray()
      .map((row) => ({ seq: row.seq, at: row.at, event: JSON.parse(row.body) as ConversationEvent }));
  }

  /** Never change what this returns: it is kept. */
  message(id: string): StoredMessage | null {
    const known = this.#remembered.get(id);
    if (known) return known;
    const [row] = this.#sql.exec<MessageRow>("select * from messages where id = ?", id).toArray();
    if (!row) return null;
    const stored = toMessage(row);
    this.#rememberedCharacters += row.parts.length;
    if (this.#rememberedCharacters > MAX_REMEMBERED_CHARACTERS) this.#forgetMessages();
    this.#remembered.set(id, stored);
    return stored;
  }

  /** The active path or any other, newest first, as long as somebody asks for more. */
  *pathBack(fromId: string | null): Generator<StoredMessage> {
    let next = fromId;
    while (next !== null) {
      const stored = this.message(next);
      if (!stored) return;
      yield stored;
      next = stored.message.parentId;
    }
  }

  /** Messages that a query of the caller's finds, one by one; nothing may be written meanwhile. */
  *page(query: { sql: string; args: (string | number)[] }): Generator<Message> {
    for (const row of this.#sql.exec<MessageRow>(query.sql, ...query.args)) yield toMessage(row).message;
  }

  /** Takes the words of a deleted message out of the events that carried them, so that no replay brings them back. */
  redact(messageId: string): void {
    // They lie between where it began and where it was changed last; those of a turn that runs have no end yet.
    const query = `select m.seq, iif(t.state = 'running', ?, m.updated_seq) as until, t.id as turn from messages as m
      left join events as e on e.seq = m.seq left join turns as t on t.id = json_extract(e.body, '$.turnId') where m.id = ?`;
    type Place = { seq: number; until: number; turn: string | null };
    const [place] = this.#sql.exec<Place>(query, this.#lastSeq, messageId).toArray();
    if (!place) return;
    this.#sql.exec(
      `update events set body = json_set(body, '$.message.parts', json('[]'))
       where seq between ? and ? and json_extract(body, '$.message.id') = ?`,
      ...[place.seq, place.until, messageId],
    );
    if (place.turn === null) return;
    this.#sql.exec(
      `update events set body = case json_extract(body, '$.type')
         when 'tool:requested' then json_set(body, '$.call.input', null) else json_set(body, '$.outcome.output', null) end
       where seq between ? and ? and json_extract(body, '$.type') in ('tool:requested', 'tool:completed')
         and json_extract(body, '$.turnId') = ?`,
      ...[place.seq, place.until, place.turn],
    );
  }

  counts(): { messages: number } {
    const [row] = this.#sql.exec<{ n: number }>("select count(*) as n from messages where deleted = 0").toArray();
    return { messages: row?.n ?? 0 };
  }

  #forgetMessages(): void {
    this.#remembered.clear();
    this.#rememberedCharacters = 0;
  }

  #load(): void {
    if (this.meta("restoring") !== null) return; // it ended in the middle, and begins anew
    const stored = this.meta("conversation");
    this.#conversation = stored ? (JSON.parse(stored) as Conversation) : null;
    const [row] = this.#sql.exec<{ seq: number | null }>("select max(seq) as seq from events").toArray();
    this.#lastSeq = row?.seq ?? 0;
  }

  #write(logged: LoggedEvent): void {
    const { seq, at, event } = logged;
    this.#sql.exec("insert into events (seq, at, body) values (?, ?, ?)", seq, at, JSON.stringify(event));
    this.#lastSeq = logged.seq;
    for (const change of changesOf(logged)) this.#apply(change, logged);
  }

  #apply(change: Change, logged: LoggedEvent): void {
    switch (change.kind) {
      case "put":
        this.#remembered.delete(change.message.id);
        return this.#put(change.message, logged.seq);
      case "delete":
        this.#remembered.delete(change.messageId);
        this.#sql.exec(
          "update messages set deleted = 1, parts = '[]', updated_seq = ? where id = ? and deleted = 0",
          logged.seq,
          change.messageId,
        );
        return;
      case "fail":
        return this.#markFailed(change.turnId, logged.seq);
      case "head":
        return this.saveConversation({ ...this.born, headId: change.messageId, updatedAt: logged.at });
      case "model":
        return this.saveConversation({ ...this.born, model: change.model, updatedAt: logged.at });
      case "title":
        return this.saveConversation({ ...this.born, title: change.title, updatedAt: logged.at });
    }
  }

  /** Found by its turn's row: what the messages say of themselves has no index. */
  #markFailed(turnId: string, seq: number): void {
    const sql = `update messages set updated_seq = ?, metadata = json_set(metadata, '$.finishReason', 'failed')
       where id = (select message_id from turns where id = ?) and deleted = 0 returning id`;
    for (const { id } of this.#sql.exec<{ id: string }>(sql, seq, turnId)) this.#remembered.delete(id);
  }

  #put(message: Message, seq: number): void {
    this.#sql.exec(
      `insert into messages (id, seq, updated_seq, parent_id, role, parts, metadata, created_at) values (?, ?, ?, ?, ?, ?, ?, ?)
       on conflict (id) do update set updated_seq = excluded.updated_seq, parts = excluded.parts, metadata = excluded.metadata
       where deleted = 0`,
      message.id,
      message.seq,
      seq,
      message.parentId,
      message.role,
      JSON.stringify(message.parts),
      JSON.stringify(message.metadata),
      message.createdAt,
    );
  }
}
