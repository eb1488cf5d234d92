import { sql } from "drizzle-orm";
import { v7 } from "uuid";
import { describe, expect, it } from "vitest";
import { createMaintenance } from "../../../adapters/postgres/maintenance.ts";
import { makeConversation, makePerson, type Person, type Rooms } from "./people.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const ago = (ms: number): Date => new Date(Date.now() - ms);

/** One row of each kind in the sign-in tables, named by `name`. @returns the session's id. */
async function signInRows({ bareAuth }: Rooms, person: Person, name: string, expiresAt: Date): Promise<string> {
  const session = v7();
  await bareAuth.transaction([
    bareAuth.query("insert into auth.session (id, token, user_id, expires_at) values ($1, $2, $3, $4)", [
      session,
      name,
      person.userId,
      expiresAt,
    ]),
    bareAuth.query("insert into auth.verification (id, identifier, value, expires_at) values ($1, $2, 'x', $3)", [
      v7(),
      name,
      expiresAt,
    ]),
    bareAuth.query(
      "insert into auth.device_code (id, device_code, user_code, expires_at, status) values ($1, $2, $2, $3, 'pending')",
      [v7(), name, expiresAt],
    ),
    bareAuth.query("insert into auth.api_key (id, name, key, reference_id, expires_at) values ($1, $2, $2, $3, $4)", [
      v7(),
      name,
      person.userId,
      expiresAt,
    ]),
    bareAuth.query("insert into auth.rate_limit (id, key, count, last_request) values ($1, $2, 1, $3)", [
      v7(),
      name,
      expiresAt.getTime(),
    ]),
  ]);
  return session;
}

/** How many of the rows named `name` are left in each sign-in table. */
async function left({ bareAuth }: Rooms, name: string): Promise<number[]> {
  const rows = await bareAuth.query(
    `select (select count(*)::int from auth.session where token = $1) as a,
      (select count(*)::int from auth.verification where identifier = $1) as b,
      (select count(*)::int from auth.device_code where device_code = $1) as c,
      (select count(*)::int from auth.api_key where key = $1) as d,
      (select count(*)::int from auth.rate_limit where key = $1) as e`,
    [name],
  );
  return Object.values(rows[0] ?? {}).map(Number);
}

const attach = ({ app }: Rooms, person: Person, conversationId: string, credentialId: string, at: Date) =>
  app.scoped(person, (db) => [
    db.execute(sql`
      insert into session_attachments (conversation_id, workspace_id, owner_user_id, visibility, credential_id, attached_user_id, attached_at)
      values (${conversationId}, ${person.personalWorkspaceId}, ${person.userId}, 'private', ${credentialId}, ${person.userId}, ${at.toISOString()})`),
  ]);

const remember = ({ app }: Rooms, person: Person, key: string, at: Date) =>
  app.scoped(person, (db) => [
    db.execute(sql`insert into idempotency_keys (owner_user_id, key, fingerprint, created_at)
      values (${person.userId}, ${key}, 'f', ${at.toISOString()})`),
  ]);

async function column({ app }: Rooms, person: Person, table: string, name: string): Promise<unknown[]> {
  const [{ rows }] = await app.scoped(person, (db) => [
    db.execute(sql`select ${sql.identifier(name)} as value from ${sql.identifier(table)} order by 1`),
  ]);
  return rows.map(({ value }) => value);
}

export function maintenanceSuite(open: () => Rooms): void {
  describe("the sweep", () => {
    it("removes what has expired from the sign-in tables and leaves what has not", async () => {
      const rooms = open();
      const ann = await makePerson(rooms, "Ann");
      const [old, late, live, endless] = [v7(), v7(), v7(), v7()];
      await signInRows(rooms, ann, old, ago(2 * HOUR_MS));
      await signInRows(rooms, ann, late, ago(60_000));
      await signInRows(rooms, ann, live, ago(-DAY_MS));
      await rooms.bareAuth.query("insert into auth.api_key (id, key, reference_id) values ($1, $2, $3)", [
        v7(),
        endless,
        ann.userId,
      ]);
      const swept = await createMaintenance(rooms).sweepExpired(500);
      expect(swept.rows).toBeGreaterThanOrEqual(5);
      expect(await left(rooms, old)).toEqual([0, 0, 0, 0, 0]);
      expect(await left(rooms, late)).toEqual([1, 1, 1, 1, 1]);
      expect(await left(rooms, live)).toEqual([1, 1, 1, 1, 1]);
      expect(await left(rooms, endless)).toEqual([0, 0, 0, 1, 0]);
    });

    it("forgets answers after a day, and attachments once their credential is gone, and no content", async () => {
      const rooms = open();
      const ann = await makePerson(rooms, "Ann");
      const talk = await makeConversation(rooms, ann, ann.personalWorkspaceId, { title: "Older than all of it" });
      await remember(rooms, ann, "yesterday", ago(25 * HOUR_MS));
      await remember(rooms, ann, "today", ago(23 * HOUR_MS));
      const alive = await signInRows(rooms, ann, v7(), ago(-DAY_MS));
      await attach(rooms, ann, talk.id, v7(), ago(32 * DAY_MS));
      await attach(rooms, ann, talk.id, "no id at all", ago(32 * DAY_MS));
      await attach(rooms, ann, talk.id, "of this month", ago(29 * DAY_MS));
      await attach(rooms, ann, talk.id, alive, ago(400 * DAY_MS));
      await createMaintenance(rooms).sweepExpired(500);
      expect(await column(rooms, ann, "idempotency_keys", "key")).toEqual(["today"]);
      const attached = await column(rooms, ann, "session_attachments", "credential_id");
      expect(new Set(attached)).toEqual(new Set([alive, "of this month"]));
      expect(await column(rooms, ann, "conversations", "title")).toEqual(["Older than all of it"]);
    });

    it("takes no more at once than it is told, says that more is left, and comes to an end", async () => {
      const rooms = open();
      const ann = await makePerson(rooms, "Ann");
      const maintenance = createMaintenance(rooms);
      await maintenance.sweepExpired(1000);
      for (const key of ["a", "b", "c"]) await remember(rooms, ann, key, ago(2 * DAY_MS));
      expect(await maintenance.sweepExpired(2)).toEqual({ rows: 2, more: true });
      expect(await column(rooms, ann, "idempotency_keys", "key")).toHaveLength(1);
      expect(await maintenance.sweepExpired(2)).toEqual({ rows: 1, more: false });
      expect(await maintenance.sweepExpired(2)).toEqual({ rows: 0, more: false });
    });

    it("takes nothing for a bound below one, and no more than 1,000", async () => {
      const rooms = open();
      const ann = await makePerson(rooms, "Ann");
      await rooms.app.scoped(ann, (db) => [
        db.execute(sql`insert into idempotency_keys (owner_user_id, key, fingerprint, created_at)
          select ${ann.userId}::uuid, n::text, 'f', now() - interval '2 days' from generate_series(1, 1005) as n`),
      ]);
      for (const bound of ["-1", "0", "null"]) await rooms.bare.query(`select * from app.sweep_expired(${bound})`);
      expect(await column(rooms, ann, "idempotency_keys", "key")).toHaveLength(1005);
      await rooms.bare.query("select * from app.sweep_expired(2000000)");
      expect(await column(rooms, ann, "idempotency_keys", "key")).toHaveLength(5);
    });

    it("is for app_user alone, runs with a fixed search path, and opens the tables to nobody else", async () => {
      const rooms = open();
      await expect(rooms.bareAuth.query("select * from app.sweep_expired(1)")).rejects.toThrow(/permission denied/);
      const [made] = await rooms.owner.query(
        `select prosecdef, proconfig, has_function_privilege('app_user', oid, 'execute') as app,
          exists (select from aclexplode(proacl) where grantee = 0) as everyone
         from pg_proc where proname = 'sweep_expired'`,
      );
      expect(made).toEqual({ prosecdef: true, proconfig: ['search_path=""'], app: true, everyone: false });
      const ann = await makePerson(rooms, "Ann");
      await remember(rooms, ann, "mine", ago(2 * DAY_MS));
      expect(await rooms.bare.query("select * from idempotency_keys")).toEqual([]);
      expect(await rooms.bare.query("delete from idempotency_keys returning key")).toEqual([]);
    });
  });
}
