import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { v7 as newId } from "uuid";
import { beforeAll, describe, expect, it } from "vitest";
import type { Principal } from "../../shared/domain/access/principal.ts";
import { AppError, unwrap } from "../../shared/domain/app-error.ts";
import type { DrainOutcome } from "../../shared/ports/conversation-store.ts";
import { aConversation } from "../../shared/testing/worker/conversations.ts";
import { aPerson, aWorkspace, ownerSql } from "../../shared/testing/worker/people.ts";
import { openSocket } from "../../shared/testing/worker/test-socket.ts";
import { servicesFor } from "../services-for.ts";
import { type Bindings, conversationObject } from "../stubs.ts";
import { createRoom } from "./create-room.ts";
import { removeConversation } from "./lifecycle.ts";

const bindings = env as unknown as Bindings;
const open = (id: string) => conversationObject(bindings, id);
const stub = (id: string) => bindings.CONVERSATION.get(bindings.CONVERSATION.idFromName(id));
const say = (id: string, who: Principal, text: string) =>
  open(id).send(who, { id: newId(), text, whenBusy: "queue" }, "api");

let owner: Principal;
beforeAll(async () => {
  owner = await aPerson({ id: await aWorkspace(), role: "owner" });
});

/** Rows of every table that can hold something of a conversation. */
async function rowsOf(id: string): Promise<Record<string, number>> {
  const sql = ownerSql();
  const tables = await sql.query(
    `select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid
     where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.attname = 'conversation_id'`,
  );
  const counts: Record<string, number> = {};
  for (const { name } of [...tables, { name: "conversations" }]) {
    const column = name === "conversations" ? "id" : "conversation_id";
    const [row] = await sql.query(`select count(*)::int as n from ${name} where ${column} = $1`, [id]);
    if (Number(row?.n) > 0) counts[String(name)] = Number(row?.n);
  }
  return counts;
}

describe("a deleted conversation", () => {
  it("is gone everywhere: rows, storage, alarms; whoever asks again finds nothing, sockets end with 4004", async () => {
    const { id, object } = await aConversation(owner, open);
    const socket = await openSocket(object, owner);
    socket.hello(0);
    unwrap(await say(id, owner, "remember me"));
    await socket.event("turn:completed");
    unwrap(await object.remove(owner));
    expect(await socket.untilClosed()).toMatchObject({ code: 4004 });
    expect(await rowsOf(id)).toEqual({});
    await runInDurableObject(stub(id), async (_instance, state) => {
      expect([
        ...state.storage.sql.exec("select name from sqlite_master where name not like '\\_cf%' escape '\\'"),
      ]).toEqual([]);
      expect(await state.storage.getAlarm()).toBeNull();
    });
    for (let again = 0; again < 2; again++)
      expect(await open(id).remove(owner)).toMatchObject({ ok: false, error: { code: "not_found" } });
    expect(await open(id).describe(owner)).toMatchObject({ ok: false, error: { code: "not_found" } });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await rowsOf(id)).toEqual({});
  });

  it("stays whole when Postgres is away, and says so", async () => {
    const { id, object } = await aConversation(owner, open);
    unwrap(await say(id, owner, "keep me"));
    await runInDurableObject(stub(id), async (_instance, state) => {
      const real = servicesFor(bindings);
      const erase = async () => {
        throw new AppError("database_unavailable", "The database cannot be reached right now.");
      };
      const room = createRoom(state, bindings, { ...real, conversations: { ...real.conversations, erase } });
      expect(await removeConversation(room, owner)).toMatchObject({
        ok: false,
        error: { code: "database_unavailable" },
      });
    });
    expect(unwrap(await object.messages(owner, { branches: "all", limit: 50 })).items[0]?.parts).toEqual([
      { type: "text", text: "keep me" },
    ]);
    expect(await rowsOf(id)).toMatchObject({ conversations: 1 });
  });

  it("is not brought back by a drain that was under way, nor by one that comes too late", async () => {
    const { id } = await aConversation(owner, open);
    await runInDurableObject(stub(id), async (_instance, state) => {
      const real = servicesFor(bindings);
      let release: () => void = () => {};
      const held = new Promise<void>((resolve) => {
        release = resolve;
      });
      const outcomes: DrainOutcome[] = [];
      const events = {
        drain: async (...asked: Parameters<typeof real.events.drain>) => {
          await held;
          const outcome = await real.events.drain(...asked);
          outcomes.push(outcome);
          return outcome;
        },
      };
      const room = createRoom(state, bindings, { ...real, events });
      room.journal.transact(() => room.journal.append({ type: "title:changed", title: "too late" }));
      const drained = room.outbox.drain();
      unwrap(await removeConversation(room, owner));
      release();
      await drained;
      expect(outcomes).toMatchObject([{ ok: false, retry: true, orphaned: true }]);
      expect(await state.storage.getAlarm()).toBeNull();
    });
    expect(await rowsOf(id)).toEqual({});
  });

  it("goes with its owner's account, also where they have left its workspace", async () => {
    const workspace = await aWorkspace();
    const [leaver, stranger] = [await aPerson({ id: workspace, role: "member" }), await aPerson()];
    const { id, object } = await aConversation(leaver, open);
    unwrap(await say(id, leaver, "left behind"));
    await ownerSql()`delete from auth.member where user_id = ${leaver.userId}`;
    const now = { ...leaver, workspaces: [] };
    expect(await object.remove(now)).toMatchObject({ ok: false, error: { code: "not_found" } });
    expect(await object.removeOwned(stranger)).toMatchObject({ ok: false, error: { code: "not_found" } });
    const { conversations } = servicesFor(bindings);
    expect(await conversations.ownIds({ userId: leaver.userId })).toEqual([id]);
    unwrap(await object.removeOwned(now));
    expect(await rowsOf(id)).toEqual({});
    unwrap(await open(id).removeOwned(now));
  });
});
