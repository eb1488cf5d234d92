import { sql } from "drizzle-orm";
import { v7 } from "uuid";
import { describe, expect, it } from "vitest";
import { createLoginStore } from "../../../adapters/postgres/login-store.ts";
import { createMaintenance } from "../../../adapters/postgres/maintenance.ts";
import type { Scope } from "../../../ports/conversation-store.ts";
import type { StoredLogin } from "../../../ports/login-store.ts";
import type { Rooms } from "./people.ts";
import { AT, makeHouse, withCode } from "./provider-people.ts";

const LATER = "2026-11-21T10:00:05.000Z";
const FAILED = { state: "failed", providerId: null, error: "It was refused." } as const;

const loginOf = (owner: Scope, more: Partial<StoredLogin> = {}): StoredLogin => ({
  id: v7(),
  kind: "openrouter",
  method: "redirect",
  scope: "user",
  workspaceId: null,
  ownerUserId: owner.userId,
  displayName: null,
  providerId: null,
  state: "pending",
  stateHash: v7(),
  sealed: "v1.k1.a.b.c",
  error: null,
  expiresAt: "2026-11-21T10:10:00.000Z",
  pollAfter: null,
  intervalSeconds: null,
  ...more,
});

export function loginsSuite(open: () => Rooms): void {
  describe("logins at vendors", () => {
    it("are their starter's alone, by id and by state, in every verb", async () => {
      const rooms = open();
      const { ann, bob, root, team } = await makeHouse(rooms);
      const store = createLoginStore(rooms.app);
      const login = loginOf(ann, { scope: "workspace", workspaceId: team, displayName: "Ours" });
      await store.create(ann, login);
      const state = login.stateHash ?? "";
      expect(await store.find(ann, login.id)).toEqual(login);
      expect(await store.findByState(ann, state)).toEqual(login);
      for (const other of [bob, root]) {
        expect([await store.find(other, login.id), await store.findByState(other, state)]).toEqual([null, null]);
        expect(await store.settle(other, login.id, FAILED)).toBe(false);
        expect(await store.claimPoll(other, login.id, AT, LATER)).toBe(false);
        await store.slowDown(other, login.id, 99, LATER);
      }
      expect(await store.find(ann, login.id)).toEqual(login);
      expect(await rooms.bare.query("select id from provider_logins")).toEqual([]);
      await expect(rooms.bare.query("update provider_logins set sealed = 'x'")).rejects.toThrow(withCode("42501"));
    });

    it("begin only for whoever may add an instance there, and in nobody else's name", async () => {
      const rooms = open();
      const { ann, mia, bob, team } = await makeHouse(rooms);
      const store = createLoginStore(rooms.app);
      const forbidden = withCode("forbidden");
      await expect(store.create(mia, loginOf(mia, { scope: "workspace", workspaceId: team }))).rejects.toThrow(
        forbidden,
      );
      await expect(store.create(bob, loginOf(bob, { scope: "system" }))).rejects.toThrow(forbidden);
      await expect(store.create(bob, loginOf(ann))).rejects.toThrow(forbidden);
    });

    it("end once, and are asked after by one at a time, at the pace that the vendor wants", async () => {
      const rooms = open();
      const { ann } = await makeHouse(rooms);
      const store = createLoginStore(rooms.app);
      const login = loginOf(ann, { method: "device", stateHash: null, intervalSeconds: 5 });
      await store.create(ann, login);
      const won = (answers: boolean[]) => answers.filter(Boolean).length;
      const claims = () => Promise.all(Array.from({ length: 5 }, () => store.claimPoll(ann, login.id, AT, LATER)));
      expect([won(await claims()), won(await claims())]).toEqual([1, 0]);
      expect(await store.claimPoll(ann, login.id, LATER, "2026-11-21T10:00:10.000Z")).toBe(true);
      await store.slowDown(ann, login.id, 10, "2026-11-21T10:00:20.000Z");
      expect(await store.find(ann, login.id)).toMatchObject({
        intervalSeconds: 10,
        pollAfter: "2026-11-21T10:00:20.000Z",
      });
      const made = { state: "complete", providerId: v7(), error: null } as const;
      expect(won(await Promise.all([made, FAILED, FAILED].map((to) => store.settle(ann, login.id, to))))).toBe(1);
      expect(await store.settle(ann, login.id, FAILED)).toBe(false);
      expect(await store.claimPoll(ann, login.id, "2026-11-22T00:00:00.000Z", LATER)).toBe(false);
      await store.slowDown(ann, login.id, 60, LATER);
      expect((await store.find(ann, login.id))?.intervalSeconds).toBe(10);
    });

    it("end with their account, and are forgotten an hour after they expired", async () => {
      const rooms = open();
      const { ann, bob } = await makeHouse(rooms);
      const store = createLoginStore(rooms.app);
      const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
      const [anns, just, old] = [
        loginOf(ann),
        loginOf(bob, { expiresAt: ago(50) }),
        loginOf(bob, { expiresAt: ago(70) }),
      ];
      await store.create(ann, { ...anns, expiresAt: ago(-10) });
      for (const login of [just, old]) await store.create(bob, login);
      await createMaintenance(rooms).sweepExpired(500);
      expect([await store.find(bob, just.id), await store.find(bob, old.id)]).toEqual([expect.anything(), null]);
      await rooms.bareAuth.query('delete from auth."user" where id = $1', [ann.userId]);
      const [left] = await rooms.app.scoped(ann, (db) => [
        db.execute(sql`select count(*)::int as n from provider_logins`),
      ]);
      expect(left.rows).toEqual([{ n: 0 }]);
      const all = await rooms.owner.query("select id from provider_logins where id = any ($1)", [[anns.id, just.id]]);
      expect(all).toEqual([{ id: just.id }]);
    });
  });
}
