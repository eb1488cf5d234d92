import { sql } from "drizzle-orm";
import { v7 } from "uuid";
import { describe, expect, it } from "vitest";
import { createAccountStore } from "../../../adapters/postgres/account-store.ts";
import { createConversationStore } from "../../../adapters/postgres/conversation-store.ts";
import { createEventSink } from "../../../adapters/postgres/event-sink.ts";
import type { Scope } from "../../../ports/conversation-store.ts";
import { added, join, leave, makeConversation, makePerson, type Rooms, userMessage } from "./people.ts";

const refused = (code: string) => expect.objectContaining({ code });

/** How many rows of these tables the user sees. */
async function visibleRows({ app }: Rooms, scope: Scope, conversationId: string): Promise<number[]> {
  const of = (table: string) =>
    sql`select count(*)::int as n from ${sql.identifier(table)} where conversation_id = ${conversationId}`;
  const results = await app.scoped(scope, (db) => [
    db.execute(sql`select count(*)::int as n from conversations where id = ${conversationId}`),
    db.execute(of("conversation_events")),
    db.execute(of("messages")),
  ]);
  return results.map(({ rows }) => Number(rows[0]?.n));
}

async function sharedRoom(rooms: Rooms) {
  const [ann, mia, vic] = await Promise.all([
    makePerson(rooms, "Ann"),
    makePerson(rooms, "Mia"),
    makePerson(rooms, "Vic"),
  ]);
  const workspace = await createAccountStore(rooms).createWorkspace(ann, "Team", v7());
  await join(rooms, mia, workspace.id, "member");
  await join(rooms, vic, workspace.id, "viewer");
  return { ann, mia, vic, workspaceId: workspace.id };
}

export function isolationSuite(open: () => Rooms, real: boolean): void {
  describe("isolation", () => {
    it("shows nothing and takes nothing when the scope is forgotten", async () => {
      const rooms = open();
      const ann = await makePerson(rooms, "Ann");
      const talk = await makeConversation(rooms, ann, ann.personalWorkspaceId);
      expect(await rooms.bare.query("select id from conversations")).toEqual([]);
      expect(await rooms.bare.query("update conversations set title = 'x' returning id")).toEqual([]);
      expect(await rooms.bare.query("delete from conversations returning id")).toEqual([]);
      expect(await visibleRows(rooms, ann, talk.id)).toEqual([1, 0, 0]);
    });

    it("does not let a scope outlive its request", async () => {
      const rooms = open();
      const ann = await makePerson(rooms, "Ann");
      await makeConversation(rooms, ann, ann.personalWorkspaceId);
      await Promise.all(
        Array.from({ length: 20 }, async () => {
          await visibleRows(rooms, ann, v7());
          expect(await rooms.bare.query("select id from conversations")).toEqual([]);
          await rooms.bare.query("select set_config('app.user_id', $1, false)", [ann.userId]);
        }),
      );
      expect(await rooms.bare.query("select id from conversations")).toEqual([]);
      const who = await rooms.bare.query("select current_user::text as who, session_user::text as session");
      expect(who).toEqual([{ who: "app_user", session: "app_user" }]);
    });

    it("hides a private conversation from another user in every verb", async () => {
      const rooms = open();
      const store = createConversationStore(rooms.app);
      const [ann, bob] = [await makePerson(rooms, "Ann"), await makePerson(rooms, "Bob")];
      const talk = await makeConversation(rooms, ann, ann.personalWorkspaceId);
      const batch = {
        conversationId: talk.id,
        workspaceId: ann.personalWorkspaceId,
        events: [added(userMessage(1, "hello"))],
      };
      expect(await createEventSink(rooms.app).drain(ann, batch)).toEqual({ ok: true });

      expect(await visibleRows(rooms, ann, talk.id)).toEqual([1, 1, 1]);
      expect(await visibleRows(rooms, bob, talk.id)).toEqual([0, 0, 0]);
      expect(await store.find(bob, talk.id)).toBeNull();
      expect((await store.list(bob, { limit: 50 })).items).toEqual([]);
      expect(await store.update(bob, talk.id, { title: "mine" })).toBeNull();
      expect(await store.erase(bob, talk.id)).toBe(false);
      expect(await store.events(bob, talk.id, 0, 10)).toEqual([]);
      expect(await createEventSink(rooms.app).drain(bob, batch)).toMatchObject({ ok: false, retry: true });
      expect((await store.find(ann, talk.id))?.conversation.title).toBe("A talk");
    });

    it("hides private conversations from the admins of their workspace", async () => {
      const rooms = open();
      const { ann, mia, workspaceId } = await sharedRoom(rooms);
      await join(rooms, mia, workspaceId, "admin");
      const talk = await makeConversation(rooms, ann, workspaceId);
      expect(await visibleRows(rooms, mia, talk.id)).toEqual([0, 0, 0]);
    });

    it("lets a viewer read what is shared and write nothing", async () => {
      const rooms = open();
      const store = createConversationStore(rooms.app);
      const { ann, vic, workspaceId } = await sharedRoom(rooms);
      const talk = await makeConversation(rooms, ann, workspaceId, { visibility: "workspace" });
      expect((await store.find(vic, talk.id))?.conversation.id).toBe(talk.id);
      expect(await store.update(vic, talk.id, { title: "no" })).toBeNull();
      expect(await store.erase(vic, talk.id)).toBe(false);
      const batch = { conversationId: talk.id, workspaceId, events: [added(userMessage(1, "no"))] };
      expect(await createEventSink(rooms.app).drain(vic, batch)).toMatchObject({
        ok: false,
        retry: true,
        orphaned: true,
      });
      expect(await visibleRows(rooms, ann, talk.id)).toEqual([1, 0, 0]);
      const mine = {
        id: v7(),
        workspaceId,
        title: "no",
        model: null,
        agentId: null,
        personalityId: null,
        forkedFrom: null,
      };
      await expect(store.create(vic, { ...mine, at: "2026-01-01T00:00:00.000Z" })).rejects.toThrow(
        refused("not_found"),
      );
    });

    it("lets a member write what is shared, but not take it away or over", async () => {
      const rooms = open();
      const store = createConversationStore(rooms.app);
      const { ann, mia, workspaceId } = await sharedRoom(rooms);
      const talk = await makeConversation(rooms, ann, workspaceId, { visibility: "workspace" });
      expect((await store.update(mia, talk.id, { title: "ours" }))?.title).toBe("ours");
      const batch = { conversationId: talk.id, workspaceId, events: [added(userMessage(1, "hi"))] };
      expect(await createEventSink(rooms.app).drain(mia, batch)).toEqual({ ok: true });
      expect(await store.update(mia, talk.id, { visibility: "private" })).toBeNull();
      const steal = rooms.app.scoped(mia, (db) => [
        db.execute(sql`update conversations set owner_user_id = ${mia.userId}::uuid`),
      ]);
      await expect(steal).rejects.toThrow(refused("42501"));
    });

    it("moves the tenant of every row with a share, and takes it back", async () => {
      const rooms = open();
      const store = createConversationStore(rooms.app);
      const { ann, vic, workspaceId } = await sharedRoom(rooms);
      const talk = await makeConversation(rooms, ann, workspaceId);
      const batch = { conversationId: talk.id, workspaceId, events: [added(userMessage(1, "hi"))] };
      expect(await createEventSink(rooms.app).drain(ann, batch)).toEqual({ ok: true });
      expect(await visibleRows(rooms, vic, talk.id)).toEqual([0, 0, 0]);
      await store.update(ann, talk.id, { visibility: "workspace" });
      expect(await visibleRows(rooms, vic, talk.id)).toEqual([1, 1, 1]);
      await store.update(ann, talk.id, { visibility: "private" });
      expect(await visibleRows(rooms, vic, talk.id)).toEqual([0, 0, 0]);
    });

    it("ends with the membership, for the owner of the conversation too", async () => {
      const rooms = open();
      const { ann, mia, workspaceId } = await sharedRoom(rooms);
      const theirs = await makeConversation(rooms, ann, workspaceId, { visibility: "workspace" });
      const own = await makeConversation(rooms, mia, workspaceId);
      await leave(rooms, mia, workspaceId);
      expect(await visibleRows(rooms, mia, theirs.id)).toEqual([0, 0, 0]);
      expect(await visibleRows(rooms, mia, own.id)).toEqual([0, 0, 0]);
    });

    it("refuses a row that hangs on someone else's conversation, whatever tenant it claims", async () => {
      const rooms = open();
      const [ann, bob] = [await makePerson(rooms, "Ann"), await makePerson(rooms, "Bob")];
      const talk = await makeConversation(rooms, ann, ann.personalWorkspaceId);
      const insert = (workspaceId: string, ownerId: string) =>
        rooms.app.scoped(bob, (db) => [
          db.execute(sql`
            insert into messages (conversation_id, workspace_id, owner_user_id, visibility, id, seq, updated_seq, role,
              parts, metadata, text, created_at)
            values (${talk.id}, ${workspaceId}, ${ownerId}, 'private', ${v7()}, 1, 1, 'user', '[]', '{}', '', now())`),
        ]);
      await expect(insert(bob.personalWorkspaceId, bob.userId)).rejects.toThrow(refused("23503"));
      await expect(insert(ann.personalWorkspaceId, ann.userId)).rejects.toThrow(refused("42501"));
      await expect(insert(ann.personalWorkspaceId, bob.userId)).rejects.toThrow(refused("42501"));
    });

    it("keeps the two roles out of each other's tables, and the log append-only", async () => {
      const rooms = open();
      for (const table of ["member", "user", "session", "account", "instance_admin"]) {
        await expect(rooms.bare.query(`select * from auth."${table}"`)).rejects.toThrow(refused("42501"));
      }
      await expect(rooms.bareAuth.query("select * from public.conversations")).rejects.toThrow(refused("42501"));
      await expect(rooms.bare.query("update conversation_events set at = now()")).rejects.toThrow(refused("42501"));
      await expect(rooms.bare.query("delete from conversation_events")).rejects.toThrow(refused("42501"));
      await expect(rooms.bare.query("create table public.mine (id int)")).rejects.toThrow(refused("42501"));
      await expect(rooms.bare.query("select * from drizzle.__drizzle_migrations")).rejects.toThrow(refused("42501"));
    });

    // The embedded database has one session, whose login is the superuser; only a real server can hold this.
    if (!real) return;
    it("gives no way from a role to another one", async () => {
      const rooms = open();
      await expect(rooms.bare.query("set role auth_user")).rejects.toThrow(refused("42501"));
      await expect(rooms.bare.query("set session authorization postgres")).rejects.toThrow(refused("42501"));
    });
  });
}
