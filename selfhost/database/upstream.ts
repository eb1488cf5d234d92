import pg from "pg";
import {
  type Backend,
  type BatchOptions,
  beginStatement,
  type ResultField,
  type Role,
  SqlError,
  type SqlQuery,
  type SqlResult,
} from "./backend.ts";

const CONNECT_TIMEOUT_MS = 10_000;
const CONNECTIONS_PER_ROLE = 8;

/** Any Postgres over TCP as a backend: one pool of real connections for each role. */
export class UpstreamBackend implements Backend {
  readonly #pools: Record<Role, pg.Pool>;

  /** @param urls - where each role signs in; connections are made when first needed */
  constructor(urls: Record<Role, string>) {
    const pool = (url: string): pg.Pool => {
      const made = new pg.Pool({
        connectionString: url,
        max: CONNECTIONS_PER_ROLE,
        connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
        application_name: "mosaic",
        idle_in_transaction_session_timeout: 30_000,
      });
      // An idle connection that the server closes must not end this process; the next query opens another.
      made.on("error", () => undefined);
      return made;
    };
    this.#pools = { owner: pool(urls.owner), app_user: pool(urls.app_user), auth_user: pool(urls.auth_user) };
  }

  async run(role: Role, queries: readonly SqlQuery[], batch: BatchOptions | null): Promise<SqlResult[]> {
    try {
      const client = await this.#pools[role].connect();
      return await runUnit(client, queries, batch);
    } catch (error) {
      throw SqlError.of(error) ?? error;
    }
  }

  async close(): Promise<void> {
    await Promise.all(Object.values(this.#pools).map((pool) => pool.end()));
  }
}

async function runUnit(
  client: pg.PoolClient,
  queries: readonly SqlQuery[],
  batch: BatchOptions | null,
): Promise<SqlResult[]> {
  let failure: unknown;
  try {
    if (batch) await client.query(beginStatement(batch));
    const results: SqlResult[] = [];
    for (const query of queries) results.push(await statement(client, query));
    if (batch) await client.query("COMMIT");
    return results;
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    void giveBack(client, failure);
  }
}

/** Whatever the unit of work left behind ends here, after its answer is on the way: nothing leaks to the next one. */
async function giveBack(client: pg.PoolClient, failure: unknown): Promise<void> {
  const connectionLost = failure !== undefined && SqlError.of(failure) === null;
  if (connectionLost) return client.release(true);
  try {
    if (failure !== undefined) await client.query("ROLLBACK");
    await client.query("RESET ALL");
    client.release();
  } catch {
    client.release(true);
  }
}

async function statement(client: pg.PoolClient, { query, params }: SqlQuery): Promise<SqlResult> {
  const result = await client.query<(string | null)[]>({
    text: query,
    values: params,
    rowMode: "array",
    types: { getTypeParser: () => (value: unknown) => value },
  });
  return {
    command: result.command ?? "",
    rowCount: result.rowCount,
    rowAsArray: true,
    rows: result.rows,
    fields: result.fields.map(
      ({ name, tableID, columnID, dataTypeID, dataTypeSize, dataTypeModifier }): ResultField => {
        return { name, tableID, columnID, dataTypeID, dataTypeSize, dataTypeModifier, format: "text" };
      },
    ),
  };
}
