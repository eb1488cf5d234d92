import { v7 } from "uuid";
import { describe, expect, it } from "vitest";
import { createConversationStore } from "../../../adapters/postgres/conversation-store.ts";
import { createJobStore } from "../../../adapters/postgres/job-store.ts";
import type { ReportedJob } from "../../../ports/job-store.ts";
import { at, makeConversation, makePerson, type Person, type Rooms } from "./people.ts";

/** The house has one admin; whoever it is now. */
async function admin(rooms: Rooms): Promise<Person> {
  const person = await makePerson(rooms, "Admin");
  await rooms.owner.query(
    "insert into auth.instance_admin (user_id) values ($1) on conflict (singleton) do update set user_id = excluded.user_id",
    [person.userId],
  );
  return person;
}

const parked = (conversationId: string, seq: number, more: Partial<ReportedJob> = {}): ReportedJob => ({
  id: v7(),
  type: "outbox-event",
  status: "failed",
  attempts: 1,
  maxAttempts: 1,
  runAt: at(seq),
  startedAt: at(seq),
  endedAt: at(seq),
  error: `Event ${seq} is refused`,
  subject: { conversationId, seq, event: "message:added" },
  revision: 1,
  ...more,
});

export function jobsSuite(open: () => Rooms): void {
  describe("jobs", () => {
    it("are seen by the instance admin and by nobody else, not even by whose conversation it is", async () => {
      const rooms = open();
      const [root, ann, bob] = [await admin(rooms), await makePerson(rooms, "Ann"), await makePerson(rooms, "Bob")];
      const store = createJobStore(rooms.app);
      const talk = await makeConversation(rooms, ann, ann.personalWorkspaceId);
      const job = parked(talk.id, 3);
      await store.report(ann, talk.id, [job]);
      const { subject, revision: _, ...shown } = job;
      expect(await store.find(root, job.id)).toEqual({ ...shown, traceId: null, subject });
      for (const nobody of [ann, bob]) {
        expect(await store.find(nobody, job.id)).toBeNull();
        expect(await store.list(nobody, { limit: 50 })).toEqual({ items: [], nextCursor: null });
        expect(await store.settle(nobody, job.id, { status: "cancelled", error: null, at: at(9) })).toBeNull();
      }
      expect(await rooms.bare.query("select id from jobs")).toEqual([]);
      await expect(rooms.bare.query("delete from jobs")).rejects.toThrow(/permission denied/);
    });

    it("are written by whoever may write in their conversation only, in that conversation only", async () => {
      const rooms = open();
      const [root, ann, bob] = [await admin(rooms), await makePerson(rooms, "Ann"), await makePerson(rooms, "Bob")];
      const store = createJobStore(rooms.app);
      const [hers, his] = [
        await makeConversation(rooms, ann, ann.personalWorkspaceId),
        await makeConversation(rooms, bob, bob.personalWorkspaceId),
      ];
      const job = parked(hers.id, 1);
      expect(await store.report(bob, hers.id, [job])).toBe(false);
      expect(await store.find(root, job.id)).toBeNull();
      expect(await store.report(ann, hers.id, [job])).toBe(true);
      expect(await store.report(ann, hers.id, [job])).toBe(true);
      await store.report(bob, his.id, [{ ...job, status: "cancelled", revision: 9 }]);
      expect(await store.find(root, job.id)).toMatchObject({ status: "failed" });
    });

    it("follow the newest report, however often and in whatever order reports come", async () => {
      const rooms = open();
      const [root, ann] = [await admin(rooms), await makePerson(rooms, "Ann")];
      const store = createJobStore(rooms.app);
      const talk = await makeConversation(rooms, ann, ann.personalWorkspaceId);
      const first = parked(talk.id, 1);
      const last: ReportedJob = { ...first, status: "completed", attempts: 2, error: null, revision: 2 };
      for (const job of [first, last, first, last]) await store.report(ann, talk.id, [job]);
      expect(await store.find(root, first.id)).toMatchObject({ status: "completed", attempts: 2, error: null });
    });

    it("count as reached in the log, and go with their conversation", async () => {
      const rooms = open();
      const [root, ann] = [await admin(rooms), await makePerson(rooms, "Ann")];
      const [store, conversations] = [createJobStore(rooms.app), createConversationStore(rooms.app)];
      const talk = await makeConversation(rooms, ann, ann.personalWorkspaceId);
      const job = parked(talk.id, 7);
      await store.report(ann, talk.id, [job]);
      expect(await conversations.find(ann, talk.id)).toMatchObject({ lastSeq: 7 });
      await conversations.erase(ann, talk.id);
      expect(await store.find(root, job.id)).toBeNull();
    });

    it("are listed newest first, page by page, by status and type", async () => {
      const rooms = open();
      const [root, ann] = [await admin(rooms), await makePerson(rooms, "Ann")];
      const store = createJobStore(rooms.app);
      const talk = await makeConversation(rooms, ann, ann.personalWorkspaceId);
      const type = `type-${v7()}`;
      const made = [1, 2, 3, 4, 5].map((seq) =>
        parked(talk.id, seq, seq === 2 ? { type, status: "cancelled" } : { type }),
      );
      await store.report(ann, talk.id, made);
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await store.list(root, { type, status: "failed", limit: 2, cursor });
        seen.push(...page.items.map(({ id }) => id));
        cursor = page.nextCursor ?? undefined;
      } while (cursor !== undefined);
      expect(seen).toEqual([4, 3, 2, 0].map((index) => made[index]?.id));
      await expect(store.list(root, { limit: 2, cursor: "nonsense" })).rejects.toThrow(/cursor/);
    });
  });

  describe("a credential", () => {
    it("holds while its session or key does, for its own user", async () => {
      const rooms = open();
      const [ann, bob] = [await makePerson(rooms, "Ann"), await makePerson(rooms, "Bob")];
      const [session, over, key] = [v7(), v7(), v7()];
      const add = (id: string, hours: number) =>
        rooms.owner.query(
          "insert into auth.session (id, token, user_id, expires_at) values ($1::uuid, $1::text, $2, now() + make_interval(hours => $3))",
          [id, ann.userId, hours],
        );
      await add(session, 1);
      await add(over, -1);
      await rooms.owner.query("insert into auth.api_key (id, key, reference_id) values ($1::uuid, $1::text, $2)", [
        key,
        ann.userId,
      ]);
      const holds = async (person: Person, credential: string) => {
        const rows = await rooms.bare.transaction([
          rooms.bare.query("select set_config('app.user_id', $1, true)", [person.userId]),
          rooms.bare.query("select app.credential_is_live($1) as holds", [credential]),
        ]);
        return rows[1]?.[0]?.holds;
      };
      expect(await Promise.all([session, over, key, v7(), "no uuid"].map((id) => holds(ann, id)))).toEqual([
        true,
        false,
        true,
        false,
        false,
      ]);
      expect(await holds(bob, session)).toBe(false);
    });
  });
}
