import { and, asc, eq, ne, or, type SQL, sql } from "drizzle-orm";
import * as z from "zod";
import { AppError } from "../../domain/app-error.ts";
import type { SealedCredential } from "../../domain/providers/provider-record.ts";
import type { Scope } from "../../ports/conversation-store.ts";
import type { CredentialVault } from "../../ports/credential-vault.ts";
import type { NewProvider, ProviderChanges, ProviderStore, StoredProvider } from "../../ports/provider-store.ts";
import { rewrapCredentials } from "./credential-rotation.ts";
import { type Database, type Drizzle, sqlStateOf } from "./database.ts";
import { storedProviderOf } from "./provider-rows.ts";
import { providerCredentials as credentials, providerInstances as instances } from "./schema/providers.ts";

const REFUSED_BY_POLICY = "42501";
const DUPLICATE = "23505";
const TOO_MANY = "54000";
const HANGS_ON_NOTHING = "23503";
/** Somebody else may change the same row at the same time; they do not for ever. */
const TRIES = 3;

const rows = (db: Drizzle) =>
  db
    .select({
      instance: instances,
      credential: credentials,
      manages: sql<boolean>`app.may_manage(${instances.scope}, ${instances.workspaceId}, ${instances.ownerUserId})`,
    })
    .from(instances)
    .leftJoin(credentials, eq(credentials.providerId, instances.id));

type Row = Awaited<ReturnType<typeof rows>>[number];

const storedOf = ({ instance, credential }: Row): StoredProvider => storedProviderOf(instance, credential);

/** Provider instances in Postgres; who sees and who changes one is row-level security's business. */
export function createProviderStore(database: Database, vault: CredentialVault): ProviderStore {
  return {
    list: async (scope, workspaceId) => {
      const [found] = await database.scoped(scope, (db) => [
        rows(db)
          .where(
            workspaceId === undefined
              ? undefined
              : or(ne(instances.scope, "workspace"), eq(instances.workspaceId, workspaceId)),
          )
          .orderBy(asc(instances.createdAt), asc(instances.id)),
      ]);
      return found.map(storedOf);
    },
    find: async (scope, id) => {
      const row = await find(database, scope, id);
      return row ? storedOf(row) : null;
    },
    create: (scope, provider) => create(database, scope, provider),
    update: (scope, id, changes, ifVersion) =>
      changeOne(database, scope, id, ifVersion, (read) => update(database, scope, read, changes)),
    remove: async (scope, id, ifVersion) =>
      (await changeOne(database, scope, id, ifVersion, (read) => remove(database, scope, read))) !== null,
    rewrap: (limit) => rewrapCredentials(database, vault, limit),
    replaceSecret: async (credentialId, from, to) => {
      const [done] = await database.unscoped((db) => [
        db.execute(sql`select app.replace_secret(${credentialId}::uuid, ${from}::integer, ${to.sealed}, ${to.method},
          ${timeOf(to)?.toISOString() ?? null}::timestamptz, ${to.version}::integer) as done`),
      ]);
      return z.tuple([z.object({ done: z.boolean() })]).parse(done.rows)[0].done;
    },
  };
}

const timeOf = ({ expiresAtMs }: SealedCredential): Date | null =>
  expiresAtMs === null ? null : new Date(expiresAtMs);

async function find(database: Database, scope: Scope, id: string): Promise<Row | null> {
  const [found] = await database.scoped(scope, (db) => [rows(db).where(eq(instances.id, id))]);
  return found[0] ?? null;
}

/** The one that its place prefers gives way. */
const dethrone = (db: Drizzle, { id, scope, workspaceId, at }: { id: string; at: Date } & Place, unless: SQL) =>
  db
    .update(instances)
    .set({ isDefault: false, version: sql`${instances.version} + 1`, updatedAt: at })
    .where(
      and(
        instances.isDefault,
        eq(instances.scope, scope),
        workspaceId === null ? undefined : eq(instances.workspaceId, workspaceId),
        ne(instances.id, id),
        unless,
      ),
    );

type Place = Pick<StoredProvider["record"], "scope" | "workspaceId">;

async function create(database: Database, scope: Scope, made: NewProvider): Promise<StoredProvider> {
  const { record, hints } = made;
  const { id, credential, source: _, version: __, ...columns } = record;
  const at = new Date(made.at);
  const isNew = sql`not exists (select from provider_instances as twin where twin.id = ${id})`;
  try {
    const [, , found] = await database.scoped(scope, (db) => {
      const insert = db
        .insert(instances)
        .values({
          ...columns,
          id,
          ownerUserId: scope.userId,
          credentialHint: hints.credential,
          headerHints: hints.headers,
          createdAt: at,
          updatedAt: at,
        })
        .onConflictDoNothing()
        .returning();
      return [
        dethrone(db, { ...record, at }, record.isDefault ? isNew : sql`false`),
        credential ? db.execute(sql`with made as ${insert} ${insertCredential(credential, sql`made`, at)}`) : insert,
        rows(db).where(eq(instances.id, id)),
      ];
    });
    const row = found[0];
    if (row?.instance.ownerUserId === scope.userId) return storedOf(row);
  } catch (error) {
    throw await whyNotCreated(database, scope, record, error);
  }
  throw new AppError("conflict", "A provider with this id exists already.");
}

const insertCredential = (credential: SealedCredential, instance: SQL, at: Date): SQL => sql`
  insert into provider_credentials (id, provider_id, scope, workspace_id, owner_user_id, sealed, method, expires_at,
    version, updated_at)
  select ${credential.id}::uuid, id, scope, workspace_id, owner_user_id, ${credential.sealed}, ${credential.method},
    ${timeOf(credential)?.toISOString() ?? null}::timestamptz, ${credential.version}::integer, ${at.toISOString()}::timestamptz
  from ${instance}`;

async function whyNotCreated(database: Database, scope: Scope, place: Place, error: unknown): Promise<unknown> {
  if (sqlStateOf(error) === TOO_MANY) return tooMany(place.scope, error);
  const why = whyNotWritten(error);
  if (why !== null || sqlStateOf(error) !== REFUSED_BY_POLICY) return why ?? error;
  const [found] = await database.scoped(scope, (db) => [
    db.execute(sql`select ${place.workspaceId}::uuid = any (app.workspaces()) as belongs`),
  ]);
  const [{ belongs }] = z.tuple([z.object({ belongs: z.boolean().nullable() })]).parse(found.rows);
  if (belongs === false)
    return new AppError("not_found", "There is no workspace with this id that you belong to.", { cause: error });
  return forbidden(place.scope, error);
}

/** Null where nothing but the caller's role may be why. */
function whyNotWritten(error: unknown): AppError | null {
  const state = sqlStateOf(error);
  if (state === HANGS_ON_NOTHING)
    return new AppError("not_found", "There is no connector of yours with this id.", { cause: error });
  if (state === DUPLICATE)
    return new AppError("conflict", "Somebody changed the same provider just now. Try again.", { cause: error });
  return null;
}

const MANAGERS: Record<Place["scope"], string> = {
  system: "Only an instance admin may add or change providers that everybody here uses.",
  workspace: "Only an owner or admin of the workspace may add or change its providers.",
  user: "Only an instance admin may add or change a provider at a private address.",
};

const BOUNDS: Record<Place["scope"], string> = {
  system: "There are 100 providers for everybody here, which is the most there can be",
  workspace: "This workspace has 100 providers, which is the most it can have",
  user: "You have 50 providers, which is the most one can have",
};

const tooMany = (scope: Place["scope"], cause: unknown): AppError =>
  new AppError("forbidden", `${BOUNDS[scope]}. Remove one before you add another.`, { cause });

const forbidden = (scope: Place["scope"], cause?: unknown): AppError =>
  new AppError("forbidden", MANAGERS[scope], cause === undefined ? {} : { cause });

/** Reads, decides, and writes only over what was read; reads again when somebody was faster. */
async function changeOne<Result>(
  database: Database,
  scope: Scope,
  id: string,
  ifVersion: number | undefined,
  write: (read: Read) => Promise<Result | null>,
): Promise<Result | null> {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const row = await find(database, scope, id);
    if (!row) return null;
    const { version, scope: place } = row.instance;
    if (!row.manages) throw forbidden(place);
    if (ifVersion !== undefined && ifVersion !== version) throw stale(version);
    try {
      const written = await write(row.instance);
      if (written !== null) return written;
    } catch (error) {
      throw whyNotWritten(error) ?? (sqlStateOf(error) === REFUSED_BY_POLICY ? forbidden("user", error) : error);
    }
  }
  throw new AppError("conflict", "This provider is being changed by somebody else right now. Try again.");
}

const stale = (version: number): AppError =>
  new AppError(
    "version_conflict",
    `The provider was changed since you read it; it is at version ${version} now. Read it again.`,
  );

type Read = Place & { id: string; version: number };

async function update(
  database: Database,
  scope: Scope,
  { id, version, ...place }: Read,
  { credential, hints, at, ...plain }: ProviderChanges,
): Promise<StoredProvider | null> {
  const time = new Date(at);
  const asRead = and(eq(instances.id, id), eq(instances.version, version));
  const stillAsRead = sql`exists (select from provider_instances as same where same.id = ${id} and same.version = ${version})`;
  const [, , , , written, found] = await database.scoped(scope, (db) => [
    db.select({ id: instances.id }).from(instances).where(asRead).for("update"),
    dethrone(db, { ...place, id, at: time }, plain.isDefault === true ? stillAsRead : sql`false`),
    db
      .delete(credentials)
      .where(
        and(eq(credentials.providerId, id), credential === undefined ? sql`false` : outdated(credential), stillAsRead),
      ),
    credential
      ? db.execute(sql`
          ${insertCredential(credential, sql`provider_instances where ${asRead}`, time)}
          on conflict (provider_id) do update set sealed = excluded.sealed, method = excluded.method,
            expires_at = excluded.expires_at, updated_at = excluded.updated_at,
            version = greatest(excluded.version, provider_credentials.version + 1)`)
      : db.execute(sql`select 1`),
    db
      .update(instances)
      .set({
        ...plain,
        ...(hints ? { credentialHint: hints.credential, headerHints: hints.headers } : {}),
        version: version + 1,
        updatedAt: time,
      })
      .where(asRead)
      .returning({ id: instances.id }),
    rows(db).where(eq(instances.id, id)),
  ]);
  const row = written.length > 0 ? found[0] : undefined;
  return row ? storedOf(row) : null;
}

/** A credential of another id takes its place whole; one that is forgotten takes none. */
const outdated = (credential: SealedCredential | null): SQL | undefined =>
  credential ? ne(credentials.id, credential.id) : undefined;

async function remove(database: Database, scope: Scope, { id, version }: Read): Promise<true | null> {
  const [gone] = await database.scoped(scope, (db) => [
    db
      .delete(instances)
      .where(and(eq(instances.id, id), eq(instances.version, version)))
      .returning({ id: instances.id }),
  ]);
  return gone.length > 0 ? true : null;
}
