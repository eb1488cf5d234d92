import { env } from "cloudflare:workers";
import { v7 as newId } from "uuid";
import { beforeAll, describe, expect, it } from "vitest";
import { ConversationExport } from "../../shared/contract/conversation.ts";
import type { Principal } from "../../shared/domain/access/principal.ts";
import { unwrap } from "../../shared/domain/app-error.ts";
import { type ConversationObject, OBJECT_HEADERS } from "../../shared/ports/conversation-object.ts";
import { aConversation, aConversationRow, modelBehaves } from "../../shared/testing/worker/conversations.ts";
import { anotherSignIn, aPerson, aWorkspace, ownerSql } from "../../shared/testing/worker/people.ts";
import { inRoom } from "../../shared/testing/worker/room-bench.ts";
import { openSocket, upgrade } from "../../shared/testing/worker/test-socket.ts";
import { type Bindings, conversationObject } from "../stubs.ts";
import { REVOKED_FOR_MS, revoke } from "./lifecycle.ts";

const open = (id: string): ConversationObject => conversationObject(env as unknown as Bindings, id);
const page = { branches: "active", limit: 50 } as const;

let workspaceId: string;
let owner: Principal;
let member: Principal;
let viewer: Principal;
let stranger: Principal;
beforeAll(async () => {
  workspaceId = await aWorkspace();
  owner = await aPerson({ id: workspaceId, role: "member" });
  member = await aPerson({ id: workspaceId, role: "member" });
  viewer = await aPerson({ id: workspaceId, role: "viewer" });
  stranger = await aPerson({ id: await aWorkspace(), role: "owner" });
});

const code = async (result: Promise<{ ok: boolean }>): Promise<string> => {
  const settled = (await result) as { ok: boolean; error?: { code: string } };
  return settled.ok ? "ok" : (settled.error?.code ?? "?");
};

describe("a conversation", () => {
  it("that nobody made does not exist, and asking does not make it", async () => {
    const object = open(newId());
    expect(await code(object.describe(owner))).toBe("not_found");
    expect(await code(object.send(owner, { id: newId(), text: "x", whenBusy: "queue" }, "api"))).toBe("not_found");
    expect((await upgrade(object, owner)).status).toBe(400);
  });

  it("whose object was never called is found through its row", async () => {
    const row = await aConversationRow(owner, { title: "Row first" });
    expect(unwrap(await open(row.id).describe(owner)).title).toBe("Row first");
    const other = await aConversationRow(owner);
    expect(await code(open(other.id).describe(stranger))).toBe("not_found");
  });

  it("is private to its owner until it is shared", async () => {
    const { object } = await aConversation(owner, open);
    for (const other of [member, viewer, stranger]) {
      expect(await code(object.describe(other))).toBe("not_found");
      expect(await code(object.messages(other, page))).toBe("not_found");
      expect(await code(object.stop(other))).toBe("not_found");
      expect((await upgrade(object, other)).status).toBe(400);
    }
    unwrap(await object.update(owner, { visibility: "workspace" }));
    expect(await code(object.describe(viewer))).toBe("ok");
    expect(await code(object.send(viewer, { id: newId(), text: "x", whenBusy: "queue" }, "api"))).toBe("forbidden");
    expect(await code(object.send(member, { id: newId(), text: "x", whenBusy: "queue" }, "api"))).toBe("ok");
    expect(await code(object.remove(member))).toBe("forbidden");
    expect(await code(object.update(member, { visibility: "private" }))).toBe("forbidden");
    expect(await code(object.describe(stranger))).toBe("not_found");
  });

  it("closes the sockets of those it is no longer shared with", async () => {
    const { object } = await aConversation(owner, open);
    unwrap(await object.update(owner, { visibility: "workspace" }));
    const socket = await openSocket(object, viewer);
    socket.hello(0);
    await socket.next("welcome");
    socket.send({ type: "message:send", id: newId(), text: "may I?" });
    expect(await socket.next("error")).toMatchObject({ code: "forbidden" });
    unwrap(await object.update(owner, { visibility: "private" }));
    expect(await socket.untilClosed()).toMatchObject({ code: 4003 });
  });

  it("refuses a stale version and keeps what is there", async () => {
    const { object } = await aConversation(owner, open);
    const { version } = unwrap(await object.describe(owner));
    unwrap(await object.update(owner, { title: "Two" }, version));
    expect(await code(object.update(owner, { title: "Three" }, version))).toBe("version_conflict");
    expect(unwrap(await object.describe(owner)).title).toBe("Two");
  });

  it("is gone everywhere when it is deleted", async () => {
    const { id, object } = await aConversation(owner, open);
    await modelBehaves({ tokens: 200, delayMs: 10 });
    const socket = await openSocket(object, owner);
    socket.hello(0);
    socket.send({ type: "message:send", id: newId(), text: "secret" });
    await socket.next("message:delta");
    unwrap(await object.remove(owner));
    expect(await socket.untilClosed()).toMatchObject({ code: 4004 });
    expect(await code(open(id).describe(owner))).toBe("not_found");
    const sql = ownerSql();
    for (const table of ["conversations", "conversation_events", "messages", "turns", "receipts"]) {
      const column = table === "conversations" ? "id" : "conversation_id";
      expect(await sql.query(`select 1 from ${table} where ${column} = $1`, [id])).toEqual([]);
    }
  });
});

describe("a proof", () => {
  it("of a role that has changed since opens no socket with the old one", async () => {
    const { object } = await aConversation(owner, open);
    unwrap(await object.update(owner, { visibility: "workspace" }));
    const asMember = { ...(await anotherSignIn(viewer)), workspaces: member.workspaces };
    expect((await upgrade(object, asMember)).status).toBe(400);
    const asViewer = { ...(await anotherSignIn(member)), workspaces: viewer.workspaces };
    expect((await upgrade(object, asViewer)).status).toBe(400);
    for (const person of [viewer, member, owner]) expect((await upgrade(object, person)).status).toBe(101);
  });

  it("that was revoked is remembered for as long as anybody could believe it, and no longer", () =>
    inRoom(async (bench) => {
      const revoked = () => [...bench.room.storage.sql.exec("select credential_id as id from revoked")];
      revoke(bench.room, { credentialId: "first" });
      await bench.forward(REVOKED_FOR_MS - 1);
      revoke(bench.room, { credentialId: "second" });
      expect(revoked()).toEqual([{ id: "first" }, { id: "second" }]);
      await bench.forward(2);
      revoke(bench.room, { credentialId: "third" });
      expect(revoked()).toEqual([{ id: "second" }, { id: "third" }]);
      await bench.forward(1);
      revoke(bench.room, { credentialId: "second" });
      await bench.forward(REVOKED_FOR_MS - 1);
      revoke(bench.room, { credentialId: "fourth" });
      expect(revoked()).toEqual([{ id: "fourth" }, { id: "second" }]);
    }));

  it("is worth nothing after its time", async () => {
    const { object } = await aConversation(owner, open);
    expect(await code(object.describe({ ...owner, expiresAt: "2020-01-01T00:00:00.000Z" }))).toBe("expired");
  });

  it("that is revoked closes its sockets and opens nothing any more", async () => {
    const { object } = await aConversation(owner, open);
    const other = await anotherSignIn(owner);
    const socket = await openSocket(object, other);
    const mine = await openSocket(object, owner);
    mine.hello();
    await object.revoke({ credentialId: other.credentialId });
    expect(await socket.untilClosed()).toMatchObject({ code: 4003 });
    expect(await code(object.describe(other))).toBe("expired");
    expect(await code(object.describe(owner))).toBe("ok");
    expect(mine.closed).toBeNull();
  });

  it("of a membership that ended closes its sockets", async () => {
    const { object } = await aConversation(owner, open);
    unwrap(await object.update(owner, { visibility: "workspace" }));
    const socket = await openSocket(object, member);
    socket.hello();
    await object.revoke({ userId: member.userId, workspaceId });
    expect(await socket.untilClosed()).toMatchObject({ code: 4003 });
  });

  it("as a ticket opens one socket, once, for the page that asked", async () => {
    const { id, object } = await aConversation(owner, open);
    const origin = "https://app.example";
    const { ticket } = unwrap(await object.ticket(owner, origin));
    const ask = (more: object) => upgrade(object, { by: "ticket", ticket, origin, ...more });
    const elsewhere = await aConversation(owner, open);
    expect((await upgrade(elsewhere.object, { by: "ticket", ticket, origin })).status).toBe(400);
    expect((await ask({})).status).toBe(101);
    expect((await ask({})).status).toBe(400);
    const second = unwrap(await object.ticket(owner, origin)).ticket;
    expect((await upgrade(object, { by: "ticket", ticket: second, origin: "https://evil.example" })).status).toBe(400);
    expect((await upgrade(open(newId()), { by: "ticket", ticket: second, origin })).status).toBe(400);
    expect(await code(open(id).ticket(stranger, origin))).toBe("not_found");
  });
});

describe("commands and branches", () => {
  async function talk() {
    const { id, object } = await aConversation(owner, open);
    const socket = await openSocket(object, owner);
    socket.hello(0);
    await socket.next("welcome");
    const command = async (line: string) => {
      const commandId = newId();
      socket.send({ type: "command:execute", id: commandId, command: line });
      return await socket.next("command:result", (result) => result.id === commandId);
    };
    const say = async (words: string) => {
      const seen = socket.all("event").length;
      const messageId = newId();
      socket.send({ type: "message:send", id: messageId, text: words });
      await socket.until("an ending", () =>
        socket
          .all("event")
          .slice(seen)
          .some((frame) => frame.event.type === "turn:completed")
          ? true
          : undefined,
      );
      return messageId;
    };
    return { id, object, socket, command, say };
  }

  it("pins, shows and unpins a model; an unknown one names the nearest", async () => {
    const { command, say, object } = await talk();
    expect(await command("/model claude-opus-4-6")).toMatchObject({ ok: true });
    await say("who are you?");
    expect(unwrap(await object.messages(owner, page)).items[1]?.metadata.model).toBe("claude-opus-4-6");
    expect(await command("/model")).toMatchObject({ data: { model: "claude-opus-4-6", pinned: true } });
    expect(await command("/model clear")).toMatchObject({ ok: true, data: { pinned: false } });
    expect(await command("/model claude-opos-4-6")).toMatchObject({
      ok: false,
      text: expect.stringContaining("claude-opus-4-6"),
    });
    expect(await command("/modl")).toMatchObject({ ok: false, text: expect.stringContaining("/model") });
  });

  it("answers again beside the first answer and keeps both", async () => {
    const { command, say, object, socket } = await talk();
    await say("one");
    await command("/retry");
    await socket.until("a second ending", () =>
      socket.all("event").filter((frame) => frame.event.type === "turn:completed").length === 2 ? true : undefined,
    );
    expect(unwrap(await object.messages(owner, page)).items).toHaveLength(2);
    expect(unwrap(await object.messages(owner, { ...page, branches: "all" })).items).toHaveLength(3);
  });

  it("edits by a sibling, deletes by a tombstone that no replay undoes", async () => {
    const { say, object, id } = await talk();
    const first = await say("forget-me-not");
    const edited = unwrap(await object.edit(owner, first, { text: "better words" }));
    await expect.poll(async () => unwrap(await object.messages(owner, page)).items.length).toBe(2);
    expect(unwrap(await object.messages(owner, page)).items[0]?.id).toBe(edited.id);
    await expect
      .poll(async () => unwrap(await object.messages(owner, page)).items[1]?.metadata.finishReason)
      .toBe("stop");
    unwrap(await object.deleteMessage(owner, first));
    const all = unwrap(await object.messages(owner, { ...page, branches: "all" })).items;
    expect(all.some((message) => message.id === first)).toBe(false);
    const headers = { [OBJECT_HEADERS.principal]: JSON.stringify({ by: "principal", principal: owner }) };
    const file = await object.fetch(new Request("https://conversation/export?format=json", { headers }));
    const { events } = ConversationExport.parse(await file.json());
    expect(JSON.stringify(events.filter((each) => each.event.type === "message:added"))).not.toContain("forget-me-not");
    const late = await openSocket(open(id), owner);
    late.hello(0);
    await late.event("message:deleted");
    expect(JSON.stringify(late.all("event").filter((frame) => frame.event.type === "message:added"))).not.toContain(
      "forget-me-not",
    );
  });

  it("forks through a message into a conversation of its own", async () => {
    const { say, object } = await talk();
    await say("one");
    await say("two");
    const { items } = unwrap(await object.messages(owner, page));
    const forked = unwrap(await object.fork(owner, items[1]?.id ?? "", newId()));
    const copied = unwrap(await open(forked.id).messages(owner, page)).items;
    expect(copied.map((message) => message.parts)).toEqual(items.slice(0, 2).map((message) => message.parts));
    expect(forked).toMatchObject({
      title: expect.stringMatching(/\(fork\)$/),
      forkedFrom: { messageId: items[1]?.id },
    });
    expect(await code(object.fork(owner, newId(), newId()))).toBe("not_found");
    expect(await code(object.fork(stranger, items[1]?.id ?? "", newId()))).toBe("not_found");
  });

  it("pages through messages in order, forwards and backwards, and by what changed", async () => {
    const { say, object } = await talk();
    await say("one");
    await say("two");
    const all = unwrap(await object.messages(owner, page)).items;
    const first = unwrap(await object.messages(owner, { ...page, limit: 3 }));
    const rest = unwrap(await object.messages(owner, { ...page, limit: 3, cursor: first.nextCursor ?? "" }));
    expect([...first.items, ...rest.items]).toEqual(all);
    expect(unwrap(await object.messages(owner, { ...page, limit: 2, before: all[3]?.seq ?? 0 })).items).toEqual(
      all.slice(1, 3),
    );
    expect(unwrap(await object.messages(owner, { ...page, after: all[1]?.updatedSeq ?? 0 })).items).toEqual(
      all.slice(2),
    );
  });
});
