import { asc, eq, sql } from "drizzle-orm";
import { v7 } from "uuid";
import * as z from "zod";
import { Upstream } from "../../contract/connector.ts";
import { AppError } from "../../domain/app-error.ts";
import type { ConnectorStore, StoredConnector } from "../../ports/connector-gateway.ts";
import type { Scope } from "../../ports/conversation-store.ts";
import { type Database, sqlStateOf } from "./database.ts";
import { connectors } from "./schema/providers.ts";

const DUPLICATE = "23505";

const Owners = z
  .array(z.object({ owner_user_id: z.string(), name: z.string() }))
  .transform(([row]) => (row ? { ownerUserId: row.owner_user_id, name: row.name } : null));
const Known = z.tuple([z.object({ known: z.boolean() })]);

/** Machines that dial in, in Postgres. Their owner sees them; who shows a token or a secret is let in by a function. */
export function createConnectorStore(database: Database): ConnectorStore {
  return {
    list: async (scope) => {
      const [rows] = await database.scoped(scope, (db) => [
        db.select().from(connectors).orderBy(asc(connectors.createdAt), asc(connectors.id)),
      ]);
      return rows.map(connectorOf);
    },
    find: async (scope, id) => {
      const [rows] = await database.scoped(scope, (db) => [db.select().from(connectors).where(eq(connectors.id, id))]);
      return rows[0] ? connectorOf(rows[0]) : null;
    },
    create: (scope, connector) => create(database, scope, connector),
    remove: async (scope, id) => {
      const [rows] = await database.scoped(scope, (db) => [
        db.delete(connectors).where(eq(connectors.id, id)).returning({ id: connectors.id }),
      ]);
      return rows.length > 0;
    },
    claim: async (id, tokenHash, secretHash, at) => {
      const [found] = await database.unscoped((db) => [
        db.execute(
          sql`select * from app.claim_connector(${id}::uuid, ${tokenHash}, ${secretHash}, ${at}::timestamptz)`,
        ),
      ]);
      return Owners.parse(found.rows);
    },
    verify: async (id, secretHash) => {
      const [found] = await database.unscoped((db) => [
        db.execute(sql`select * from app.connector_of_secret(${id}::uuid, ${secretHash})`),
      ]);
      return Owners.parse(found.rows);
    },
    enrol: async (scope, id, secretHash) => {
      const [rows] = await database.scoped(scope, (db) => [
        db.update(connectors).set({ secretHash }).where(eq(connectors.id, id)).returning({ id: connectors.id }),
      ]);
      return rows.length > 0;
    },
    announce: async (id, { upstreams, clientVersion, at }) => {
      const offered =
        upstreams && JSON.stringify(upstreams.map((upstream) => ({ ...upstream, ...instanceOf(upstream) })));
      const [done] = await database.unscoped((db) => [
        db.execute(sql`select app.announce_connector(${id}::uuid, ${offered}::jsonb, ${clientVersion},
          ${at}::timestamptz) as known`),
      ]);
      return Known.parse(done.rows)[0].known;
    },
  };
}

/** What becomes of an upstream that is new: its id, and the first half of its name ("Ollama on attic"). */
const instanceOf = ({ name, kind }: Upstream): { id: string; label: string } => ({
  id: v7(),
  label: name === kind ? { ollama: "Ollama", "openai-compatible": "Models" }[kind] : name,
});

/**
 * A name that is taken is the same machine, set up once more: its secret holds until the new token is traded. The very
 * same creation again changes nothing, so that a token that was traded never comes alive a second time.
 */
async function create(
  database: Database,
  scope: Scope,
  { id, name, tokenHash, tokenExpiresAt, at }: Parameters<ConnectorStore["create"]>[1],
): Promise<StoredConnector> {
  const expires = tokenExpiresAt === null ? null : new Date(tokenExpiresAt);
  const token = { tokenHash, tokenExpiresAt: expires };
  try {
    const [, rows] = await database.scoped(scope, (db) => [
      db
        .insert(connectors)
        .values({ id, name, ownerUserId: scope.userId, ...token, createdAt: new Date(at) })
        .onConflictDoUpdate({
          target: [connectors.ownerUserId, connectors.name],
          set: { ...token, tokenSecretHash: null },
          setWhere: sql`excluded.token_hash is not null and connectors.id <> excluded.id
            and connectors.token_hash is distinct from excluded.token_hash`,
        }),
      db.select().from(connectors).where(eq(connectors.name, name)),
    ]);
    if (rows[0]) return connectorOf(rows[0]);
  } catch (error) {
    if (sqlStateOf(error) !== DUPLICATE) throw error;
  }
  throw new AppError("conflict", "A connector with this id exists already.");
}

const connectorOf = (row: typeof connectors.$inferSelect): StoredConnector => ({
  id: row.id,
  ownerUserId: row.ownerUserId,
  name: row.name,
  isOnline: row.isOnline,
  lastSeenAt: row.lastSeenAt?.toISOString() ?? null,
  upstreams: z.array(Upstream).parse(row.upstreams),
  clientVersion: row.clientVersion,
  createdAt: row.createdAt.toISOString(),
});
