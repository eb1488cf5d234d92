import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { v7 as newId } from "uuid";
import { describe, expect, it } from "vitest";
import type { Conversation, UpdateConversation } from "../../shared/contract/conversation.ts";
import type { Principal } from "../../shared/domain/access/principal.ts";
import { AppError, unwrap } from "../../shared/domain/app-error.ts";
import type { ConversationChanges } from "../../shared/ports/conversation-store.ts";
import { aPrincipal } from "../../shared/testing/builders.ts";
import { aConversation } from "../../shared/testing/worker/conversations.ts";
import { aPerson, aWorkspace, ownerSql } from "../../shared/testing/worker/people.ts";
import { inRoom, type RoomBench } from "../../shared/testing/worker/room-bench.ts";
import { openSocket } from "../../shared/testing/worker/test-socket.ts";
import { type Bindings, conversationObject } from "../stubs.ts";
import { admit } from "./birth.ts";
import { onAlarm } from "./on-alarm.ts";
import { updateConversation } from "./update.ts";

type Answer = "comes" | "is lost" | "never comes";

/** The row of the bench's conversation, in a Postgres that answers as a test says. */
function rowOf(bench: RoomBench) {
  const postgres = { row: { ...bench.room.journal.born }, answer: "comes" as Answer, isAway: false };
  const { conversations } = bench.room.services;
  const applied = (changes: ConversationChanges): Conversation => {
    const { title, visibility, model } = { ...postgres.row, ...changes };
    postgres.row = { ...postgres.row, title, visibility, model, version: postgres.row.version + 1 };
    return postgres.row;
  };
  bench.services.conversations = {
    ...conversations,
    find: async ({ userId }) => {
      if (postgres.isAway) throw new AppError("database_unavailable", "away");
      const sees = userId === bench.owner.userId || postgres.row.visibility === "workspace";
      return sees ? { conversation: postgres.row, lastSeq: 0 } : null;
    },
    update: async (_scope, _id, changes, ifVersion) => {
      if (ifVersion !== undefined && ifVersion !== postgres.row.version)
        throw new AppError("version_conflict", "It was changed.");
      const row = applied(changes);
      if (postgres.answer === "never comes") return await new Promise<never>(() => {});
      if (postgres.answer === "is lost") throw new AppError("database_unavailable", "away");
      return row;
    },
  };
  return postgres;
}

const memberOf = ({ owner }: RoomBench): Principal =>
  aPrincipal({ userId: newId(), workspaces: [{ id: owner.workspaces[0]?.id ?? "", role: "member" }] });

const intent = ({ room }: RoomBench) => room.journal.meta("changing") ?? "";

async function shared(bench: RoomBench) {
  const postgres = rowOf(bench);
  unwrap(await updateConversation(bench.room, bench.owner, { visibility: "workspace" }));
  return postgres;
}

/** The change reaches Postgres, and the object ends before it hears of it. */
async function changedAndCrashed(bench: RoomBench, postgres: ReturnType<typeof rowOf>, changes: UpdateConversation) {
  postgres.answer = "never comes";
  void updateConversation(bench.room, bench.owner, changes);
  await bench.settle();
  postgres.answer = "comes";
  bench.lose();
}

async function alarm(bench: RoomBench, inMs: number): Promise<void> {
  await bench.forward(inMs);
  onAlarm(bench.room);
  await bench.settle();
}

describe("a change that Postgres took and the object did not hear of", () => {
  it("is there after the object has woken, in its log too, without anybody asking", () =>
    inRoom(async (bench) => {
      const postgres = await shared(bench);
      await changedAndCrashed(bench, postgres, { title: "Renamed" });
      expect(bench.room.journal.born.title).toBe("Bench");
      await alarm(bench, 0);
      expect(bench.room.journal.born).toMatchObject({ title: "Renamed", version: postgres.row.version });
      expect(bench.events("title:changed")).toEqual([{ type: "title:changed", title: "Renamed" }]);
      await alarm(bench, 120_000);
      expect(intent(bench)).toBe("");
      expect(bench.events("title:changed")).toHaveLength(1);
    }));

  it("is read again before the next change, so that no version is refused that is the newest", () =>
    inRoom(async (bench) => {
      const postgres = rowOf(bench);
      postgres.answer = "is lost";
      const lost = await updateConversation(bench.room, bench.owner, { title: "Renamed" });
      expect(lost).toMatchObject({ ok: false, error: { code: "database_unavailable" } });
      postgres.answer = "comes";
      await updateConversation(bench.room, bench.owner, { visibility: "workspace" }, 1);
      expect(bench.room.journal.born).toMatchObject({ title: "Renamed", version: 2 });
      const next = await updateConversation(bench.room, bench.owner, { visibility: "workspace" }, 2);
      expect(next).toMatchObject({ ok: true, value: { version: 3, visibility: "workspace", title: "Renamed" } });
    }));

  it("keeps those out whom it shuts out, also while nobody can be asked", () =>
    inRoom(async (bench) => {
      const postgres = await shared(bench);
      const member = memberOf(bench);
      expect(await admit(bench.room, member, "read")).toMatchObject({ ok: true });
      await changedAndCrashed(bench, postgres, { visibility: "private" });
      postgres.isAway = true;
      expect(await admit(bench.room, member, "read")).toMatchObject({ error: { code: "database_unavailable" } });
      expect(await admit(bench.room, bench.owner, "write")).toMatchObject({ ok: true });
      postgres.isAway = false;
      expect(await admit(bench.room, member, "read")).toMatchObject({ error: { code: "not_found" } });
      await alarm(bench, 120_000);
      expect(bench.room.journal.born.visibility).toBe("private");
      expect(intent(bench)).toBe("");
    }));

  it("that never reached Postgres leaves everything as it was, as soon as that is known", () =>
    inRoom(async (bench) => {
      const postgres = await shared(bench);
      const { row } = postgres;
      await changedAndCrashed(bench, postgres, { visibility: "private", title: "Mine" });
      postgres.row = row;
      expect(await admit(bench.room, memberOf(bench), "read")).toMatchObject({ ok: true });
      await alarm(bench, 120_000);
      expect(bench.room.journal.born).toEqual(row);
      expect(intent(bench)).toBe("");
    }));

  it("is asked for again until Postgres answers", () =>
    inRoom(async (bench) => {
      const postgres = await shared(bench);
      await changedAndCrashed(bench, postgres, { title: "Renamed" });
      postgres.isAway = true;
      await alarm(bench, 0);
      await alarm(bench, 120_000);
      postgres.isAway = false;
      await alarm(bench, 120_000);
      expect(bench.room.journal.born.title).toBe("Renamed");
    }));
});

it("a change that was refused, or that was heard of, leaves nothing to look after", () =>
  inRoom(async (bench) => {
    await shared(bench);
    expect(intent(bench)).toBe("");
    const refused = await updateConversation(bench.room, bench.owner, { title: "x" }, 99);
    expect(refused).toMatchObject({ ok: false, error: { code: "version_conflict" } });
    expect(intent(bench)).toBe("");
  }));

it("the title of one change is told though the answer of a later one came first", () =>
  inRoom(async (bench) => {
    const postgres = rowOf(bench);
    const { update } = bench.services.conversations;
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    bench.services.conversations.update = async (scope, id, changes) => {
      const row = await update(scope, id, changes);
      if (changes.title !== undefined) await held;
      return row;
    };
    const renamed = updateConversation(bench.room, bench.owner, { title: "Renamed" });
    unwrap(await updateConversation(bench.room, bench.owner, { visibility: "workspace" }));
    release();
    unwrap(await renamed);
    expect(bench.room.journal.born).toMatchObject({ title: "Renamed", version: postgres.row.version });
    expect(intent(bench)).toBe("");
  }));

it("the socket of a member ends where the object wakes and does not know whether it is private now", async () => {
  const workspaceId = await aWorkspace();
  const [owner, member] = [
    await aPerson({ id: workspaceId, role: "owner" }),
    await aPerson({ id: workspaceId, role: "member" }),
  ];
  const bindings = env as unknown as Bindings;
  const { id, object } = await aConversation(owner, (each) => conversationObject(bindings, each));
  unwrap(await object.update(owner, { visibility: "workspace" }));
  const [theirs, mine] = [await openSocket(object, member), await openSocket(object, owner)];
  for (const socket of [theirs, mine]) socket.hello();
  await theirs.next("welcome");
  await ownerSql()`update conversations set visibility = 'private', version = version + 1 where id = ${id}`;
  const stub = bindings.CONVERSATION.get(bindings.CONVERSATION.idFromName(id));
  await runInDurableObject(stub, async (_instance, { storage }) => {
    const changing = JSON.stringify({ by: owner.userId, untilMs: 0, changes: { visibility: "private" }, pin: null });
    storage.sql.exec("insert or replace into meta (key, value) values ('changing', ?)", changing);
  });
  await evictDurableObject(stub);
  expect(unwrap(await object.describe(owner)).id).toBe(id);
  expect(await theirs.untilClosed()).toMatchObject({ code: 4003 });
  await expect.poll(async () => unwrap(await object.describe(owner)).visibility).toBe("private");
  expect(mine.closed).toBeNull();
}, 20_000);
