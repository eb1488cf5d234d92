import { messages, type PGlite, protocol } from "@electric-sql/pglite";
import {
  type Backend,
  type BatchOptions,
  beginStatement,
  type ResultField,
  type Role,
  readCommandTag,
  SqlError,
  type SqlQuery,
  type SqlResult,
} from "./backend.ts";
import type { DurableFileSystem } from "./durable-file-system.ts";
import { openCluster, prepareCluster } from "./open-cluster.ts";

const SESSION_ROLE: Record<Role, string> = { owner: "postgres", app_user: "app_user", auth_user: "auth_user" };
const WRITES = new Set(["INSERT", "UPDATE", "DELETE", "MERGE", "COPY"]);
const VACUUM_AFTER_ROWS = 2_000;
const VACUUM_WHEN_IDLE_MS = 5_000;

const { serialize } = protocol;
type Messages = Awaited<ReturnType<PGlite["execProtocol"]>>["messages"];

/**
 * PGlite as a backend. There is one session, so units of work run one after the other, and each begins by becoming its
 * role: whatever the last one set is gone.
 */
export class EmbeddedBackend implements Backend {
  readonly #pg: PGlite;
  readonly #files: DurableFileSystem;
  readonly #onCrash: (error: unknown) => void;
  #last: Promise<unknown> = Promise.resolve();
  #rowsWritten = 0;
  #idle: ReturnType<typeof setTimeout> | undefined;

  private constructor(pg: PGlite, files: DurableFileSystem, onCrash: (error: unknown) => void) {
    this.#pg = pg;
    this.#files = files;
    this.#onCrash = onCrash;
  }

  /**
   * Opens, or makes, the cluster below `dataDir`, whose lock the caller holds.
   * @param onCrash - called when Postgres itself fell over: nothing works any more until it is opened anew
   */
  static async open(dataDir: string, onCrash: (error: unknown) => void = () => undefined): Promise<EmbeddedBackend> {
    const { pg, files } = await openCluster(await prepareCluster(dataDir));
    const backend = new EmbeddedBackend(pg, files, onCrash);
    await backend.#command("VACUUM ANALYZE");
    return backend;
  }

  /** How often a file was really synced to the disk. */
  get syncs(): number {
    return this.#files.syncs;
  }

  run(role: Role, queries: readonly SqlQuery[], batch: BatchOptions | null): Promise<SqlResult[]> {
    return this.#inTurn(() => this.#unit(role, queries, batch));
  }

  async close(): Promise<void> {
    clearTimeout(this.#idle);
    await this.#inTurn(() => this.#pg.close());
  }

  #inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const next = this.#last.then(work);
    this.#last = next.catch(() => undefined);
    return next;
  }

  async #unit(role: Role, queries: readonly SqlQuery[], batch: BatchOptions | null): Promise<SqlResult[]> {
    await this.#command(`RESET ALL; SET SESSION AUTHORIZATION ${SESSION_ROLE[role]}`);
    const results: SqlResult[] = [];
    try {
      if (batch) await this.#command(beginStatement(batch));
      for (const query of queries) results.push(await this.#statement(query));
      if (batch) await this.#command("COMMIT");
    } finally {
      if (this.#pg.isInTransaction()) await this.#command("ROLLBACK");
    }
    this.#countWrites(results);
    return results;
  }

  async #command(text: string): Promise<void> {
    await this.#exchange(serialize.query(text));
  }

  async #statement({ query, params }: SqlQuery): Promise<SqlResult> {
    const message = Buffer.concat([
      serialize.parse({ text: query }),
      serialize.bind({ values: params }),
      serialize.describe({ type: "P" }),
      serialize.execute({}),
      serialize.sync(),
    ]);
    return readResult(await this.#exchange(message));
  }

  async #exchange(message: Uint8Array): Promise<Messages> {
    const answer = await this.#pg
      .execProtocol(message, { throwOnError: false, syncToFs: false })
      .catch((error: unknown) => {
        this.#onCrash(error);
        throw error;
      });
    for (const reply of answer.messages) {
      if (!(reply instanceof messages.DatabaseError)) continue;
      throw SqlError.of(reply) ?? reply;
    }
    return answer.messages;
  }

  #countWrites(results: readonly SqlResult[]): void {
    for (const { command, rowCount } of results) if (WRITES.has(command)) this.#rowsWritten += rowCount ?? 0;
    clearTimeout(this.#idle);
    if (this.#rowsWritten < VACUUM_AFTER_ROWS) return;
    // PGlite has no autovacuum: without this, plans go by statistics from before the rows came.
    this.#idle = setTimeout(() => {
      this.#rowsWritten = 0;
      this.#inTurn(() =>
        this.#command("RESET ALL; SET SESSION AUTHORIZATION postgres").then(() => this.#command("VACUUM ANALYZE")),
      ).catch((error: unknown) => console.error(`The database could not be vacuumed: ${String(error)}`));
    }, VACUUM_WHEN_IDLE_MS);
    this.#idle.unref();
  }
}

function readResult(replies: Messages): SqlResult {
  const result: SqlResult = { command: "", rowCount: null, rowAsArray: true, rows: [], fields: [] };
  for (const message of replies) {
    if (message instanceof messages.RowDescriptionMessage) {
      result.fields = message.fields.map(
        ({ name, tableID, columnID, dataTypeID, dataTypeSize, dataTypeModifier }): ResultField => {
          return { name, tableID, columnID, dataTypeID, dataTypeSize, dataTypeModifier, format: "text" };
        },
      );
    } else if (message instanceof messages.DataRowMessage) {
      result.rows.push(message.fields);
    } else if (message instanceof messages.CommandCompleteMessage) {
      Object.assign(result, readCommandTag(message.text));
    }
  }
  return result;
}
