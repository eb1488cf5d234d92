import { NeonDbError, type NeonQueryFunction, neon, neonConfig } from "@neondatabase/serverless";
import { type SQL, sql } from "drizzle-orm";
import type { BatchItem, BatchResponse } from "drizzle-orm/batch";
import { drizzle, type NeonHttpDatabase } from "drizzle-orm/neon-http";
import { AppError } from "../../domain/app-error.ts";
import type { Scope } from "../../ports/conversation-store.ts";
import { abortAfter } from "../abort-after.ts";

export type Drizzle = NeonHttpDatabase;
type Query = BatchItem<"pg">;
type Queries = readonly [Query, ...Query[]];

/** Milliseconds after which a query is given up where nothing else is said; the local endpoint ends a blocked database later. */
const QUERY_TIMEOUT_MS = 20_000;

// The driver's configuration is global in an isolate: set once here, per database looked up by its address.
const endpoints = new Map<string, string>();
const neonsOwn = neonConfig.fetchEndpoint;
neonConfig.fetchEndpoint = (host, port, options) =>
  endpoints.get(`${host}:${port}`) ?? (typeof neonsOwn === "string" ? neonsOwn : neonsOwn(host, port, options));
// The driver passes `fetchOptions` of each connection through to here.
neonConfig.fetchFunction = async (url: string, { timeoutMs = QUERY_TIMEOUT_MS, ...init }: RequestInit & Patience) => {
  if (init.signal) return await fetch(url, init);
  return await abortAfter(timeoutMs, async (signal) => {
    const response = await fetch(url, { ...init, signal });
    return new Response(await response.text(), { status: response.status, headers: response.headers });
  });
};

interface Patience {
  /** Milliseconds after which a query is given up; 20 s where nothing is said. */
  timeoutMs?: number | undefined;
}

export interface DatabaseAddress extends Patience {
  connectionString: string;
  /** Where the driver posts its queries; without it, Neon itself. */
  endpoint?: string | undefined;
}

export interface Database {
  /**
   * Runs queries on the user's behalf: one HTTP round trip, one transaction, row-level security bound to that user.
   * @returns the queries' results, in order
   * @throws AppError `database_unavailable`; NeonDbError with its SQLSTATE when Postgres refuses a query
   */
  scoped<const Asked extends Queries>(scope: Scope, build: (db: Drizzle) => Asked): Promise<Results<Asked>>;
  /** The same on nobody's behalf: tenant tables are empty then. For the sign-in tables and for functions. */
  unscoped<const Asked extends Queries>(build: (db: Drizzle) => Asked): Promise<Results<Asked>>;
  /** One statement on nobody's behalf, without a transaction around it: for a function that filters by itself. */
  single(statement: SQL): Promise<{ rows: unknown[] }>;
  /** Drizzle itself, for adapters that bring their own queries (sign-in). */
  readonly drizzle: Drizzle;
}

type Results<Asked extends Queries> = { [Index in keyof Asked]: BatchResponse<[Asked[Index]]>[0] };

/** Opens nothing: the driver speaks HTTP, one request per batch. */
export function createDatabase(address: DatabaseAddress): Database {
  const db = drizzle(connect(address));
  const run = async (queries: Queries): Promise<unknown[]> => {
    const results: unknown[] = await askAgainAfterConflicts(() => db.batch([...queries] as [Query, ...Query[]]));
    if (results.length !== queries.length) throw unavailable(`${results.length} results of ${queries.length} queries`);
    return results;
  };
  return {
    drizzle: db,
    scoped: async (scope, build) => {
      const become = db.execute(sql`select set_config('app.user_id', ${scope.userId}, true)`);
      const [, ...results] = await run([become, ...build(db)]);
      return results as never;
    },
    single: async (statement) => {
      try {
        return await db.execute(statement);
      } catch (error) {
        throw asAppError(error);
      }
    },
    unscoped: async (build) => (await run(build(db))) as never,
  };
}

/** The bare driver, with results as objects. */
export function connect({ connectionString, endpoint, timeoutMs }: DatabaseAddress): NeonQueryFunction<false, false> {
  const { hostname, port } = new URL(connectionString);
  if (endpoint) endpoints.set(`${hostname}:${port}`, endpoint);
  return neon(connectionString, { disableWarningInBrowsers: true, fetchOptions: { timeoutMs } });
}

const UNAVAILABLE = "The database cannot be reached right now. Nothing is lost; try again in a moment.";

/** SQLSTATE of what Postgres said; undefined where it did not answer at all; null for any other error. */
export function sqlStateOf(error: unknown): string | undefined | null {
  if (error instanceof NeonDbError) return error.code;
  return error instanceof Error && error.cause !== undefined ? sqlStateOf(error.cause) : null;
}

/** Whether the same query may work later: no answer, or SQLSTATE 08, 53, 57, 40. */
export function isTransient(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state === undefined || (state !== null && /^(08|53|57|40|28)/.test(state));
}

const unavailable = (cause: unknown): AppError =>
  new AppError("database_unavailable", UNAVAILABLE, { cause, retryAfterMs: 2_000 });

/** Tries of one batch that Postgres rolls back for a conflict with another one. */
const MAX_TRIES = 3;

/** A batch is one transaction: what was rolled back (SQLSTATE 40) has left nothing, and may be asked at once again. */
async function askAgainAfterConflicts<Value>(ask: () => Promise<Value>): Promise<Value> {
  for (let tries = 1; ; tries++) {
    try {
      return await ask();
    } catch (error) {
      const isConflict = sqlStateOf(error)?.startsWith("40") ?? false;
      if (!isConflict || tries === MAX_TRIES) throw asAppError(error);
    }
  }
}

/** An answer that the driver cannot read is none: whoever gave it is not Postgres. */
function asAppError(error: unknown): unknown {
  return sqlStateOf(error) === null || isTransient(error) ? unavailable(error) : error;
}
