import { v7 } from "uuid";
import { describe, expect, it } from "vitest";
import { createAccountStore } from "../../../adapters/postgres/account-store.ts";
import { checkDatabase } from "../../../adapters/postgres/check-database.ts";
import { createConfigurationReader } from "../../../adapters/postgres/configuration-reader.ts";
import { createConversationStore } from "../../../adapters/postgres/conversation-store.ts";
import { createDatabase } from "../../../adapters/postgres/database.ts";
import { createIdempotencyStore } from "../../../adapters/postgres/idempotency-store.ts";
import { at, join, makeConversation, makePerson, type Rooms, signIn, signOut } from "./people.ts";

const withCode = (code: string) => expect.objectContaining({ code });

export function storesSuite(open: () => Rooms): void {
  describe("conversations", () => {
    it("lists the most recent first, page by page, without gap or repetition", async () => {
      const rooms = open();
      const ann = await makePerson(rooms, "Ann");
      const made: string[] = [];
      // Several at the same instant: the id decides among them.
      for (const second of [1, 2, 2, 2, 3])
        made.push((await makeConversation(rooms, ann, ann.personalWorkspaceId, { at: at(second) })).id);
      const store = createConversationStore(rooms.app);
      const seen: string[] = [];
      let cursor: string | undefined;
      for (let page = 0; page < 5; page += 1) {
        const { items, nextCursor } = await store.list(ann, { limit: 2, cursor, workspaceId: ann.personalWorkspaceId });
        seen.push(...items.map(({ id }) => id));
        if (nextCursor === null) break;
        cursor = nextCursor;
      }
      expect(seen).toEqual([made[4], ...[made[1], made[2], made[3]].sort().reverse(), made[0]]);
      expect((await store.list(ann, { limit: 50, workspaceId: v7() })).items).toEqual([]);
    });

    it("says that a cursor is none of its own", async () => {
      const rooms = open();
      const ann = await makePerson(rooms, "Ann");
      const store = createConversationStore(rooms.app);
      for (const cursor of ["", "nonsense", btoa("[]"), btoa('["2026-01-01T00:00:00Z","x"]'), "\u{1f600}"]) {
        await expect(store.list(ann, { limit: 1, cursor })).rejects.toThrow(withCode("invalid_request"));
      }
    });

    it("changes only the version it was told, and counts on", async () => {
      const rooms = open();
      const ann = await makePerson(rooms, "Ann");
      const store = createConversationStore(rooms.app);
      const talk = await makeConversation(rooms, ann, ann.personalWorkspaceId);
      expect(talk).toMatchObject({
        version: 1,
        visibility: "private",
        ownerUserId: ann.userId,
        createdAt: "2026-01-02T03:04:05.678Z",
      });
      expect(await store.update(ann, talk.id, { title: "Two", model: "m" }, 1)).toMatchObject({
        version: 2,
        title: "Two",
        model: "m",
      });
      await expect(store.update(ann, talk.id, { title: "Three" }, 1)).rejects.toThrow(withCode("version_conflict"));
      expect((await store.find(ann, talk.id))?.conversation).toMatchObject({ version: 2, title: "Two" });
      expect(await store.update(ann, v7(), { title: "x" }, 1)).toBeNull();
    });

    it("refuses a second conversation under the same id", async () => {
      const rooms = open();
      const ann = await makePerson(rooms, "Ann");
      const talk = await makeConversation(rooms, ann, ann.personalWorkspaceId);
      const again = createConversationStore(rooms.app).create(ann, { ...talk, at: at(1) });
      await expect(again).rejects.toThrow(withCode("conflict"));
    });

    it("erases once", async () => {
      const rooms = open();
      const ann = await makePerson(rooms, "Ann");
      const store = createConversationStore(rooms.app);
      const talk = await makeConversation(rooms, ann, ann.personalWorkspaceId);
      expect(await store.erase(ann, talk.id)).toBe(true);
      expect(await store.erase(ann, talk.id)).toBe(false);
      expect(await store.find(ann, talk.id)).toBeNull();
    });
  });

  describe("accounts", () => {
    it("makes one personal workspace, however many ask at once, and lists it first", async () => {
      const rooms = open();
      const accounts = createAccountStore(rooms);
      const user = { id: v7(), name: "Zoë" };
      await rooms.owner.query(`insert into auth."user" (id, name, email) values ($1, $2, $3)`, [
        user.id,
        user.name,
        `${user.id}@example.com`,
      ]);
      const answers = await Promise.all(Array.from({ length: 8 }, () => accounts.workspaces(user)));
      for (const answer of answers) expect(answer).toEqual(answers[0]);
      expect(answers[0]).toMatchObject([{ personal: true, role: "owner", name: "Zoë" }]);
      const team = await accounts.createWorkspace({ userId: user.id }, "A Team!", v7());
      expect(team.slug).toMatch(/^a-team-/);
      expect((await accounts.workspaces(user)).map(({ personal }) => personal)).toEqual([true, false]);
    });

    it("knows the instance admin", async () => {
      const rooms = open();
      const accounts = createAccountStore(rooms);
      const [ann, bob] = [await makePerson(rooms, "Ann"), await makePerson(rooms, "Bob")];
      await rooms.owner.query(
        "insert into auth.instance_admin (user_id) values ($1) on conflict (singleton) do update set user_id = excluded.user_id",
        [ann.userId],
      );
      expect(await accounts.isInstanceAdmin(ann.userId)).toBe(true);
      expect(await accounts.isInstanceAdmin(bob.userId)).toBe(false);
    });

    it("keeps workspace settings: defaults first, admins write, members read, strangers find nothing", async () => {
      const rooms = open();
      const accounts = createAccountStore(rooms);
      const [ann, mia, bob] = [
        await makePerson(rooms, "Ann"),
        await makePerson(rooms, "Mia"),
        await makePerson(rooms, "Bob"),
      ];
      const { id } = await accounts.createWorkspace(ann, "Team", v7());
      await join(rooms, mia, id, "member");
      expect(await accounts.settings(mia, id)).toEqual({
        workspaceId: id,
        defaultProviderId: null,
        defaultModel: null,
        settings: {},
        version: 1,
      });
      expect(await accounts.settings(bob, id)).toBeNull();
      expect(await accounts.updateSettings(bob, id, { defaultModel: "x" })).toBeNull();
      await expect(accounts.updateSettings(mia, id, { defaultModel: "x" })).rejects.toThrow(withCode("forbidden"));
      expect(await accounts.updateSettings(ann, id, { defaultModel: "m-1", settings: { a: 1 } }, 1)).toMatchObject({
        version: 2,
      });
      await expect(accounts.updateSettings(ann, id, { defaultModel: "m-2" }, 1)).rejects.toThrow(
        withCode("version_conflict"),
      );
      expect(await accounts.updateSettings(ann, id, { settings: { b: 2 } })).toMatchObject({
        version: 3,
        defaultModel: "m-1",
        settings: { a: 1, b: 2 },
      });
      const reader = createConfigurationReader(rooms.app);
      expect((await reader.read(mia, id)).workspace).toEqual({
        defaultProviderId: null,
        defaultModel: "m-1",
        settings: { a: 1, b: 2 },
      });
      expect((await reader.read(bob, id)).workspace.defaultModel).toBeNull();
    });

    it("finds where a credential or a member is attached, and forgets it when told", async () => {
      const rooms = open();
      const accounts = createAccountStore(rooms);
      const [ann, bob] = [await makePerson(rooms, "Ann"), await makePerson(rooms, "Bob")];
      const talk = await makeConversation(rooms, ann, ann.personalWorkspaceId);
      const [first, second] = [await signIn(rooms, ann), await signIn(rooms, bob)];
      expect(await accounts.recordAttachment(ann, talk.id, first)).toBe("write");
      expect(await accounts.recordAttachment(ann, talk.id, first)).toBe("write");
      expect(await accounts.recordAttachment(bob, talk.id, second)).toBe("none");
      expect(await accounts.attachments({ credentialId: first })).toEqual([talk.id]);
      expect(await accounts.attachments({ credentialId: second })).toEqual([]);
      expect(await accounts.attachments({ userId: ann.userId })).toEqual([talk.id]);
      expect(await accounts.attachments({ userId: ann.userId, workspaceId: v7() })).toEqual([]);
      await accounts.removeAttachment(bob, talk.id, first);
      expect(await accounts.attachments({ credentialId: first })).toEqual([talk.id]);
      await accounts.removeAttachment(ann, talk.id, first);
      expect(await accounts.attachments({ userId: ann.userId })).toEqual([]);
    });

    it("says whether who is attached may write in that workspace now", async () => {
      const rooms = open();
      const accounts = createAccountStore(rooms);
      const ann = await makePerson(rooms, "Ann");
      const talk = await makeConversation(rooms, ann, ann.personalWorkspaceId);
      const session = await signIn(rooms, ann);
      expect(await accounts.recordAttachment(ann, talk.id, session)).toBe("write");
      await join(rooms, ann, ann.personalWorkspaceId, "viewer");
      expect(await accounts.recordAttachment(ann, talk.id, session)).toBe("read");
    });

    it("records nobody whose credential has ended, is another's or is none", async () => {
      const rooms = open();
      const accounts = createAccountStore(rooms);
      const [ann, bob] = [await makePerson(rooms, "Ann"), await makePerson(rooms, "Bob")];
      const talk = await makeConversation(rooms, ann, ann.personalWorkspaceId);
      const [mine, bobs] = [await signIn(rooms, ann), await signIn(rooms, bob)];
      expect(await accounts.recordAttachment(ann, talk.id, mine)).toBe("write");
      await signOut(rooms, mine);
      for (const credentialId of [mine, bobs, v7(), "no id at all"])
        expect([credentialId, await accounts.recordAttachment(ann, talk.id, credentialId)]).toEqual([
          credentialId,
          "none",
        ]);
    });
  });

  describe("idempotency keys", () => {
    it("answer the first result again, tell another request apart, and come back after a failure", async () => {
      const rooms = open();
      const keys = createIdempotencyStore(rooms.app);
      const [ann, bob] = [await makePerson(rooms, "Ann"), await makePerson(rooms, "Bob")];
      const claims = await Promise.all(Array.from({ length: 6 }, () => keys.begin(ann, "k", "print")));
      expect(claims.map(({ state }) => state).sort()).toEqual([
        "new",
        "running",
        "running",
        "running",
        "running",
        "running",
      ]);
      expect(await keys.begin(bob, "k", "other")).toEqual({ state: "new" });
      await keys.abandon(ann, "k");
      expect(await keys.begin(ann, "k", "print")).toEqual({ state: "new" });
      await keys.finish(ann, "k", 201, { id: 1 });
      expect(await keys.begin(ann, "k", "print")).toEqual({ state: "done", status: 201, body: { id: 1 } });
      expect(await keys.begin(ann, "k", "other")).toEqual({ state: "different" });
      await keys.abandon(ann, "k");
      expect(await keys.begin(ann, "k", "print")).toMatchObject({ state: "done" });
    });
  });

  describe("the database check", () => {
    it("says that all is well, or what is not, and never throws", async () => {
      expect(await checkDatabase(open().app)).toMatchObject({ ok: true });
      const nowhere = createDatabase({
        connectionString: "postgresql://app_user:x@127.0.0.1:1/x",
        endpoint: "http://127.0.0.1:1/sql",
      });
      expect(await checkDatabase(nowhere)).toEqual({ ok: false, detail: "the database cannot be reached" });
      await expect(createConversationStore(nowhere).find({ userId: v7() }, v7())).rejects.toThrow(
        withCode("database_unavailable"),
      );
    });
  });
}
