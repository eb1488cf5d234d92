import { and, eq, gt, isNotNull, isNull, lt, or, sql } from "drizzle-orm";
import * as z from "zod";
import { createDatabase, type DatabaseAddress, type Drizzle } from "./database.ts";
import { apikey, instanceAdmin, invitation, organization, session, signInTables, user } from "./schema/sign-in.ts";
import { createSignInAttempts, type SignInAttempts } from "./sign-in-attempts.ts";

/** What a credential proves, read in one round trip. Expired, disabled and unknown ones are simply not found. */
export interface ProvenCredential {
  kind: "session" | "api-key";
  id: string;
  /** Null for a key without an end. */
  expiresAt: Date | null;
  /** Whether `touch` has something to write down. */
  stale: boolean;
  isInstanceAdmin: boolean;
  user: { id: string; name: string; email: string; emailVerified: boolean; image: string | null };
}

/** What an ended account leaves behind for the rest of the house to hear of. */
export interface EndedAccount {
  credentialIds: string[];
  workspaceIds: string[];
}

/** The sign-in tables, as `auth_user`. Every verb throws AppError `database_unavailable` when Postgres does not answer. */
export interface SignInDatabase {
  /** For better-auth's adapter. */
  readonly drizzle: Drizzle;
  readonly tables: typeof signInTables;
  readonly attempts: SignInAttempts;
  findCredential(by: { sessionToken: string | null; apiKeyHash: string | null }): Promise<ProvenCredential | null>;
  /** Prolongs a session in use, or notes when a key was last used. */
  touch(credential: Pick<ProvenCredential, "kind" | "id">, sessionLifetimeSeconds: number): Promise<void>;
  hasInstanceAdmin(): Promise<boolean>;
  /** @returns whether this account is the instance's administrator now: the unique row decides between several. */
  claimInstanceAdmin(userId: string): Promise<boolean>;
  hasPendingInvitation(email: string): Promise<boolean>;
  isPersonalWorkspace(workspaceId: string): Promise<boolean>;
  /**
   * Deletes the account with all that hangs on it. A workspace of which it was the last owner goes to its highest,
   * then longest-standing member; one without other members goes with the account. Repeating it changes nothing.
   */
  endAccount(userId: string): Promise<EndedAccount>;
}

/** Opens nothing: the driver speaks HTTP. `connectionString` is that of `auth_user`. */
export function createSignInDatabase(address: DatabaseAddress): SignInDatabase {
  const database = createDatabase(address);
  return {
    drizzle: database.drizzle,
    tables: signInTables,
    attempts: createSignInAttempts(database),
    findCredential: async ({ sessionToken, apiKeyHash }) => {
      const [found] = await database.unscoped((db) => [db.execute(credentialQuery(sessionToken, apiKeyHash))]);
      const row = found.rows[0];
      return row === undefined ? null : provenCredential(row);
    },
    touch: async (credential, lifetimeSeconds) => {
      await database.unscoped((db) => [touchQuery(db, credential, lifetimeSeconds)]);
    },
    hasInstanceAdmin: async () => {
      const [rows] = await database.unscoped((db) => [db.select().from(instanceAdmin)]);
      return rows.length > 0;
    },
    claimInstanceAdmin: async (userId) => {
      const [, rows] = await database.unscoped((db) => [
        db.insert(instanceAdmin).values({ userId }).onConflictDoNothing(),
        db.select().from(instanceAdmin).where(eq(instanceAdmin.userId, userId)),
      ]);
      return rows.length > 0;
    },
    hasPendingInvitation: async (email) => {
      const pending = and(
        eq(sql`lower(${invitation.email})`, email.toLowerCase()),
        eq(invitation.status, "pending"),
        gt(invitation.expiresAt, sql`now()`),
      );
      const [rows] = await database.unscoped((db) => [
        db.select({ id: invitation.id }).from(invitation).where(pending).limit(1),
      ]);
      return rows.length > 0;
    },
    isPersonalWorkspace: async (workspaceId) => {
      const personal = and(eq(organization.id, workspaceId), isNotNull(organization.personalUserId));
      const [rows] = await database.unscoped((db) => [
        db.select({ id: organization.id }).from(organization).where(personal),
      ]);
      return rows.length > 0;
    },
    endAccount: async (userId) => {
      const [credentials, memberships] = await database.unscoped((db) => [
        db.execute(sql`
          select id from auth.session where user_id = ${userId}::uuid
          union all select id from auth.api_key where reference_id = ${userId}::uuid`),
        db.execute(sql`select organization_id as id from auth.member where user_id = ${userId}::uuid`),
        db.execute(promoteHeirs(userId)),
        db.execute(deleteLonelyWorkspaces(userId)),
        db.delete(user).where(eq(user.id, userId)),
      ]);
      return { credentialIds: ids(credentials.rows), workspaceIds: ids(memberships.rows) };
    },
  };
}

const SESSION_STALE = "1 day";
const KEY_STALE = "1 minute";

function touchQuery(db: Drizzle, { kind, id }: Pick<ProvenCredential, "kind" | "id">, lifetimeSeconds: number) {
  if (kind === "session") {
    const stale = lt(session.updatedAt, sql`now() - ${SESSION_STALE}::interval`);
    return db
      .update(session)
      .set({ updatedAt: sql`now()`, expiresAt: sql`now() + make_interval(secs => ${lifetimeSeconds})` })
      .where(and(eq(session.id, id), stale));
  }
  const stale = or(isNull(apikey.lastRequest), lt(apikey.lastRequest, sql`now() - ${KEY_STALE}::interval`));
  return db
    .update(apikey)
    .set({ lastRequest: sql`now()` })
    .where(and(eq(apikey.id, id), stale));
}

const credentialQuery = (sessionToken: string | null, apiKeyHash: string | null) => sql`
  select found.*, u.name, u.email, u.email_verified, u.image, admin.user_id is not null as is_admin
  from (
    select 'session' as kind, id, user_id, extract(epoch from expires_at)::float8 as expires_at,
      updated_at < now() - ${SESSION_STALE}::interval as stale
    from auth.session where token = ${sessionToken}::text and expires_at > now()
    union all
    select 'api-key', id, reference_id, extract(epoch from expires_at)::float8,
      coalesce(last_request < now() - ${KEY_STALE}::interval, true)
    from auth.api_key
    where key = ${apiKeyHash}::text and enabled is not false and (expires_at is null or expires_at > now())
  ) as found
  join auth."user" u on u.id = found.user_id
  left join auth.instance_admin admin on admin.user_id = found.user_id
  limit 1`;

const CredentialRow = z.object({
  kind: z.enum(["session", "api-key"]),
  id: z.string(),
  user_id: z.string(),
  expires_at: z.number().nullable(),
  stale: z.boolean(),
  name: z.string(),
  email: z.string(),
  email_verified: z.boolean(),
  image: z.string().nullable(),
  is_admin: z.boolean(),
});

function provenCredential(row: unknown): ProvenCredential {
  const found = CredentialRow.parse(row);
  return {
    kind: found.kind,
    id: found.id,
    expiresAt: found.expires_at === null ? null : new Date(found.expires_at * 1000),
    stale: found.stale,
    isInstanceAdmin: found.is_admin,
    user: {
      id: found.user_id,
      name: found.name,
      email: found.email,
      emailVerified: found.email_verified,
      image: found.image,
    },
  };
}

const ids = (rows: unknown): string[] =>
  z
    .array(z.object({ id: z.string() }))
    .parse(rows)
    .map(({ id }) => id);

const promoteHeirs = (userId: string) => sql`
  update auth.member set role = 'owner' where id in (
    select distinct on (other.organization_id) other.id
    from auth.member mine join auth.member other
      on other.organization_id = mine.organization_id and other.user_id <> mine.user_id
    where mine.user_id = ${userId}::uuid and mine.role = 'owner'
      and not exists (select from auth.member o where o.organization_id = mine.organization_id
        and o.user_id <> mine.user_id and o.role = 'owner')
    order by other.organization_id,
      array_position(array['admin', 'member', 'viewer'], other.role), other.created_at, other.id)`;

const deleteLonelyWorkspaces = (userId: string) => sql`
  delete from auth.organization o
  where exists (select from auth.member where organization_id = o.id and user_id = ${userId}::uuid)
    and not exists (select from auth.member where organization_id = o.id and user_id <> ${userId}::uuid)`;
