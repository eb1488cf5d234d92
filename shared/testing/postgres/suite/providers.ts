import { sql } from "drizzle-orm";
import { v7 } from "uuid";
import { describe, expect, it } from "vitest";
import { createAccountStore } from "../../../adapters/postgres/account-store.ts";
import { bindingOf } from "../../../ports/credential-vault.ts";
import { join, leave, type Rooms } from "./people.ts";
import { AT, makeHouse, newProvider, providersOf, vault, withCode } from "./provider-people.ts";

const LATER = "2026-11-21T11:00:00.000Z";
const NO_HINTS = { credential: null, headers: {} };

export function providersSuite(open: () => Rooms): void {
  describe("provider instances", () => {
    it("are shown and opened to their user, to the workspace's members, to everyone here: each scope its own", async () => {
      const rooms = open();
      const { ann, mia, bob, root, team } = await makeHouse(rooms);
      const store = providersOf(rooms);
      const mine = await store.create(ann, await newProvider(ann));
      const ours = await store.create(ann, await newProvider(ann, { scope: "workspace", workspaceId: team }));
      const everyones = await store.create(root, await newProvider(root, { scope: "system" }));
      const seenBy = async (who: typeof ann) => {
        const ids = new Set((await store.list(who)).map(({ record }) => record.id));
        return [mine, ours, everyones].map(({ record }) => ids.has(record.id));
      };
      expect(await Promise.all([ann, mia, bob, root].map(seenBy))).toEqual([
        [true, true, true],
        [false, true, true],
        [false, false, true],
        [false, false, true],
      ]);
      expect(await store.find(mia, mine.record.id)).toBeNull();
      const found = await store.find(mia, ours.record.id);
      expect(found).toEqual(ours);
      expect(await vault.open(found?.record.credential?.sealed ?? "", bindingOf(ours.record))).toEqual({
        apiKey: "sk-canary-abcdefgh",
      });
      const here = (await store.list(ann, ann.personalWorkspaceId)).map(({ record }) => record.id);
      expect([here.includes(mine.record.id), here.includes(ours.record.id)]).toEqual([true, false]);
      await leave(rooms, mia, team);
      expect(await store.find(mia, ours.record.id)).toBeNull();
    });

    it("are changed by their user, by the workspace's admins, by the instance admin, and by nobody else", async () => {
      const rooms = open();
      const { ann, mia, bob, root, team } = await makeHouse(rooms);
      const store = providersOf(rooms);
      const mine = await newProvider(ann);
      const ours = await newProvider(ann, { scope: "workspace", workspaceId: team });
      const everyones = await newProvider(root, { scope: "system" });
      for (const [who, made] of [
        [ann, mine],
        [ann, ours],
        [root, everyones],
      ] as const)
        await store.create(who, made);
      const rename = (who: typeof ann, id: string) => store.update(who, id, { displayName: "Taken", at: LATER });

      expect(await rename(mia, mine.record.id)).toBeNull();
      expect(await rename(root, mine.record.id)).toBeNull();
      expect(await store.remove(mia, mine.record.id)).toBe(false);
      for (const attempt of [rename, (who: typeof ann, id: string) => store.remove(who, id)]) {
        await expect(attempt(mia, ours.record.id)).rejects.toThrow(withCode("forbidden"));
        await expect(attempt(ann, everyones.record.id)).rejects.toThrow(withCode("forbidden"));
      }
      const wrong = async (who: typeof ann, more: Parameters<typeof newProvider>[1]) =>
        store.create(who, await newProvider(who, more));
      await expect(wrong(mia, { scope: "workspace", workspaceId: team })).rejects.toThrow(withCode("forbidden"));
      await expect(wrong(bob, { scope: "workspace", workspaceId: team })).rejects.toThrow(withCode("not_found"));
      await expect(wrong(ann, { scope: "system" })).rejects.toThrow(withCode("forbidden"));
      await expect(wrong(ann, { route: "private", baseUrl: "http://10.0.0.1" })).rejects.toThrow(withCode("forbidden"));
      expect((await wrong(root, { route: "private", baseUrl: "http://10.0.0.1" })).record.route).toBe("private");

      await join(rooms, mia, team, "admin");
      expect((await rename(mia, ours.record.id))?.record).toMatchObject({
        displayName: "Taken",
        ownerUserId: ann.userId,
      });
      expect((await rename(root, everyones.record.id))?.record.version).toBe(2);
      expect(await store.remove(mia, ours.record.id)).toBe(true);
    });

    it("cannot be written past the store either: in another's name, at another's scope, with another's secret", async () => {
      const rooms = open();
      const { ann, bob, root, team } = await makeHouse(rooms);
      const store = providersOf(rooms);
      const [mine, everyones] = [await newProvider(ann), await newProvider(root, { scope: "system" })];
      await store.create(ann, mine);
      await store.create(root, everyones);
      const as = (who: typeof ann, statement: ReturnType<typeof sql>) =>
        rooms.app.scoped(who, (db) => [db.execute(statement)]);
      const insert = (owner: string, scope: string, workspaceId: string | null, route = "public") => sql`
        insert into provider_instances (id, scope, workspace_id, owner_user_id, kind, display_name, base_url, route,
          is_default, is_enabled, created_at, updated_at)
        values (${v7()}, ${scope}, ${workspaceId}, ${owner}, 'openai', 'x', 'https://models.example.org', ${route},
          false, true, now(), now())`;
      for (const statement of [
        insert(ann.userId, "user", null),
        insert(bob.userId, "system", null),
        insert(bob.userId, "workspace", team),
        insert(bob.userId, "user", null, "operator"),
        insert(bob.userId, "user", null, "private"),
      ])
        await expect(as(bob, statement)).rejects.toThrow(withCode("42501"));
      await expect(as(bob, insert(bob.userId, "user", team))).rejects.toThrow(withCode("23514"));
      const secret = (of: string, owner: string, scope: string) => sql`
        insert into provider_credentials (id, provider_id, scope, owner_user_id, sealed, updated_at)
        values (${v7()}, ${of}, ${scope}, ${owner}, 'v1.k1.x.y.z', now())`;
      await store.update(ann, mine.record.id, { credential: null, hints: NO_HINTS, at: LATER });
      await expect(as(bob, secret(mine.record.id, bob.userId, "user"))).rejects.toThrow(withCode("23503"));
      await expect(as(bob, secret(mine.record.id, ann.userId, "user"))).rejects.toThrow(withCode("42501"));
      await expect(as(bob, secret(everyones.record.id, root.userId, "system"))).rejects.toThrow(withCode("42501"));
      for (const column of ["owner_user_id", "scope", "workspace_id", "kind", "id"])
        await expect(
          as(ann, sql`update provider_instances set ${sql.identifier(column)} = null where id = ${mine.record.id}`),
        ).rejects.toThrow(withCode("42501"));
      const change = sql`update provider_credentials set sealed = 'x' returning id`;
      const [changed] = await as(bob, change);
      expect(changed.rows).toEqual([]);
      const [gone] = await as(bob, sql`delete from provider_credentials returning id`);
      expect(gone.rows).toEqual([]);
      expect(
        await rooms.bare.query("select id from provider_instances union all select id from provider_credentials"),
      ).toEqual([]);
    });

    it("are out of reach of whoever may only use them, or not even that, statement by statement", async () => {
      const rooms = open();
      const { ann, mia, bob, team } = await makeHouse(rooms);
      const store = providersOf(rooms);
      const ours = (await store.create(ann, await newProvider(ann, { scope: "workspace", workspaceId: team }))).record;
      const mine = (await store.create(ann, await newProvider(ann))).record;
      const ids = sql`(${ours.id}::uuid, ${mine.id}::uuid)`;
      const count = async (who: typeof ann, statement: ReturnType<typeof sql>) => {
        const [{ rows }] = await rooms.app.scoped(who, (db) => [db.execute(statement)]);
        return rows.length;
      };
      const read = sql`select id from provider_credentials where provider_id in ${ids}`;
      expect(await Promise.all([ann, mia, bob].map((who) => count(who, read)))).toEqual([2, 1, 0]);
      for (const who of [mia, bob]) {
        expect(await count(who, sql`update provider_instances set version = 9 where id in ${ids} returning id`)).toBe(
          0,
        );
        expect(await count(who, sql`delete from provider_instances where id in ${ids} returning id`)).toBe(0);
        expect(await count(who, sql`delete from provider_credentials where provider_id in ${ids} returning id`)).toBe(
          0,
        );
      }
      expect((await store.find(ann, ours.id))?.record).toEqual(ours);
      const inMiasName = rooms.app.scoped(ann, (db) => [
        db.execute(sql`
          insert into provider_instances (id, scope, workspace_id, owner_user_id, kind, display_name, route, is_default,
            is_enabled, created_at, updated_at)
          values (${v7()}, 'workspace', ${team}, ${mia.userId}, 'openai', 'x', 'public', false, true, now(), now())`),
      ]);
      await expect(inMiasName).rejects.toThrow(withCode("42501"));
    });

    it("are made once, however often they are asked for, and never over somebody else's", async () => {
      const rooms = open();
      const { ann, bob } = await makeHouse(rooms);
      const store = providersOf(rooms);
      const made = await newProvider(ann, { isDefault: true });
      const first = await store.create(ann, made);
      expect(first.record).toEqual(made.record);
      await store.update(ann, made.record.id, { displayName: "Renamed", credential: null, hints: NO_HINTS, at: LATER });
      const other = await store.create(ann, await newProvider(ann, { isDefault: true }));
      const again = await store.create(ann, made);
      expect(again.record).toMatchObject({ displayName: "Renamed", credential: null, isDefault: false });
      expect((await store.find(ann, other.record.id))?.record.isDefault).toBe(true);
      const taken = { ...made, record: { ...made.record, ownerUserId: bob.userId } };
      await expect(store.create(bob, taken)).rejects.toThrow(withCode("conflict"));
      expect((await store.find(ann, made.record.id))?.record.displayName).toBe("Renamed");
    });

    it("change only over the version that was read, with or without one being named", async () => {
      const rooms = open();
      const { ann } = await makeHouse(rooms);
      const store = providersOf(rooms);
      const { record } = await store.create(ann, await newProvider(ann));
      const rename = (displayName: string, ifVersion?: number) =>
        store.update(ann, record.id, { displayName, at: LATER }, ifVersion);
      expect((await rename("Two", 1))?.record.version).toBe(2);
      await expect(rename("Stale", 1)).rejects.toThrow(withCode("version_conflict"));
      await expect(store.remove(ann, record.id, 1)).rejects.toThrow(withCode("version_conflict"));
      const settled = await Promise.allSettled(["a", "b", "c"].map((name) => rename(name)));
      const done = settled.filter(({ status }) => status === "fulfilled").length;
      expect((await store.find(ann, record.id))?.record.version).toBe(2 + done);
      expect(await rename("Gone", 99).catch((error: unknown) => error)).toEqual(withCode("version_conflict"));
      expect(await store.update(ann, v7(), { displayName: "x", at: LATER })).toBeNull();
      expect(await store.remove(ann, record.id, 2 + done)).toBe(true);
      expect(await store.remove(ann, record.id)).toBe(false);
    });

    it("replace, keep and forget their secret, whose version only ever grows", async () => {
      const rooms = open();
      const { ann } = await makeHouse(rooms);
      const store = providersOf(rooms);
      const made = await newProvider(ann);
      const { record } = await store.create(ann, made);
      const old = record.credential;
      if (!old) throw new Error("no credential was stored");
      const kept = await store.update(ann, record.id, { isEnabled: false, at: LATER });
      expect(kept?.record.credential).toEqual(old);
      expect(kept).toMatchObject({ hints: { credential: "…efgh" }, updatedAt: LATER, createdAt: AT });
      const refreshed = {
        ...old,
        sealed: await vault.seal({ apiKey: "2" }, bindingOf(record)),
        version: 5,
        expiresAtMs: 1_800_000_000_123,
      };
      expect(await store.replaceSecret(old.id, 1, refreshed)).toBe(true);
      expect(await store.replaceSecret(old.id, 1, { ...refreshed, version: 6 })).toBe(false);
      expect(await store.replaceSecret(v7(), 1, refreshed)).toBe(false);
      expect((await store.find(ann, record.id))?.record.credential).toEqual(refreshed);
      const typed = { ...old, sealed: await vault.seal({ apiKey: "3" }, bindingOf(record)), version: 2 };
      const after = await store.update(ann, record.id, { credential: typed, hints: NO_HINTS, at: LATER });
      expect(after?.record.credential).toEqual({ ...typed, version: 6 });
      const login = { ...typed, id: v7(), method: "oauth" as const, version: 1 };
      expect((await store.update(ann, record.id, { credential: login, at: LATER }))?.record.credential).toEqual(login);
      const bare = await store.update(ann, record.id, { credential: null, hints: NO_HINTS, at: LATER });
      expect(bare?.record.credential).toBeNull();
      const counted = await rooms.owner.query(
        "select count(*)::int as n from provider_credentials where owner_user_id = $1",
        [ann.userId],
      );
      expect(counted).toEqual([{ n: 0 }]);
    });

    it("have one default in each place, and a workspace forgets the default that was removed", async () => {
      const rooms = open();
      const { ann, mia, team } = await makeHouse(rooms);
      const store = providersOf(rooms);
      const make = async (who: typeof ann, more: Parameters<typeof newProvider>[1]) =>
        (await store.create(who, await newProvider(who, { isDefault: true, ...more }))).record.id;
      const first = await make(ann, {});
      const ours = await make(ann, { scope: "workspace", workspaceId: team });
      const private_ = await make(ann, { scope: "workspace", workspaceId: ann.personalWorkspaceId });
      const mias = await make(mia, {});
      const second = await make(ann, {});
      const defaults = async (who: typeof ann) =>
        (await store.list(who))
          .filter(({ record }) => record.isDefault && record.scope !== "system")
          .map(({ record }) => record.id);
      expect(new Set(await defaults(ann))).toEqual(new Set([ours, private_, second]));
      expect(new Set(await defaults(mia))).toEqual(new Set([ours, mias]));
      expect((await store.update(ann, first, { isDefault: true, at: LATER }))?.record.isDefault).toBe(true);
      expect(new Set(await defaults(ann))).toEqual(new Set([ours, private_, first]));

      const accounts = createAccountStore(rooms);
      await accounts.updateSettings(ann, team, { defaultProviderId: ours });
      await store.remove(ann, ours);
      expect(await accounts.settings(ann, team)).toMatchObject({ defaultProviderId: null, version: 3 });
    });
  });
}
