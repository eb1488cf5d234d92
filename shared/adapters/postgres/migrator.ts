import { connect, sqlStateOf } from "./database.ts";
import { seedCatalogue } from "./seed-catalogue.ts";

export interface Migration {
  /** The file's name without `.sql`. */
  name: string;
  /** drizzle-kit's time in milliseconds: the order, and the key under which it is recorded. */
  when: number;
  /** Statements between `--> statement-breakpoint` lines. */
  sql: string;
}

export interface MigrateOptions {
  /** As the owner. */
  databaseUrl: string;
  endpoint?: string | undefined;
  migrations: readonly Migration[];
  /** Connection strings of `app_user` and `auth_user`: these passwords are what they get. */
  roleUrls?: readonly string[];
  /** Called before each migration that is not in yet. */
  onStep?: (name: string) => void;
}

/** Held for the length of a migration's transaction, so that two runners never meet in one. */
const LOCK_KEY = 7_305_011_948;
const ALREADY_APPLIED = "MG001";
const MIGRATION_TIMEOUT_MS = 10 * 60_000;

type Client = ReturnType<typeof connect>;

/**
 * Brings the database up to date. Each file is one transaction together with its row in `drizzle.__drizzle_migrations`:
 * it is in, or nothing of it is. drizzle's own migrators see the result as theirs. The catalogue of models is part of it.
 * @returns the names of the migrations that went in now
 * @throws Error with one sentence that names the file and the reason
 */
export async function migrate(options: MigrateOptions): Promise<string[]> {
  const client = connect({ connectionString: options.databaseUrl, endpoint: options.endpoint });
  const last = await prepare(client);
  const applied: string[] = [];
  for (const migration of [...options.migrations].sort((one, other) => one.when - other.when)) {
    if (migration.when <= last) continue;
    options.onStep?.(migration.name);
    if (await apply(client, migration)) applied.push(migration.name);
  }
  for (const url of options.roleUrls ?? []) await setPassword(client, url);
  const isSeeded = await seedCatalogue(client);
  if (applied.length > 0 || isSeeded) await client.query("analyze");
  return applied;
}

async function prepare(client: Client): Promise<number> {
  try {
    const results = await client.transaction([
      client.query("select pg_advisory_xact_lock($1)", [LOCK_KEY]),
      client.query("create schema if not exists drizzle"),
      client.query(
        "create table if not exists drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint)",
      ),
      client.query("select coalesce(max(created_at), 0)::text as last from drizzle.__drizzle_migrations"),
    ]);
    return Number(results[3]?.[0]?.last ?? 0);
  } catch (error) {
    throw new Error(`The database could not be prepared for migrations: ${reasonOf(error)}`, { cause: error });
  }
}

async function apply(client: Client, migration: Migration): Promise<boolean> {
  const statements = migration.sql.split("--> statement-breakpoint").filter((statement) => statement.trim() !== "");
  const guard = `do $$ begin
    if exists (select from drizzle.__drizzle_migrations where created_at >= ${migration.when}) then
      raise exception using errcode = '${ALREADY_APPLIED}', message = 'already applied';
    end if;
  end $$`;
  try {
    await client.transaction(
      [
        client.query("select pg_advisory_xact_lock($1)", [LOCK_KEY]),
        client.query(guard),
        ...statements.map((statement) => client.query(statement)),
        client.query("insert into drizzle.__drizzle_migrations (hash, created_at) values ($1, $2)", [
          await sha256(migration.sql),
          migration.when,
        ]),
      ],
      { fetchOptions: { signal: AbortSignal.timeout(MIGRATION_TIMEOUT_MS) } },
    );
    return true;
  } catch (error) {
    if (sqlStateOf(error) === ALREADY_APPLIED) return false;
    throw new Error(`The migration ${migration.name}.sql failed and nothing of it was applied: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

async function setPassword(client: Client, roleUrl: string): Promise<void> {
  const { username, password } = new URL(roleUrl);
  const secret = decodeURIComponent(password);
  if (username !== "app_user" && username !== "auth_user") {
    throw new Error(`The Worker signs in as app_user and auth_user; a connection string names "${username}" instead.`);
  }
  if (secret === "") throw new Error(`The connection string of ${username} has no password.`);
  try {
    await client.query(`alter role ${username} login password '${secret.replaceAll("'", "''")}'`);
  } catch (error) {
    throw new Error(`The password of the role ${username} could not be set: ${reasonOf(error)}`, { cause: error });
  }
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const where = "detail" in error && typeof error.detail === "string" ? ` (${error.detail})` : "";
  return `${error.message}${where}`;
}
