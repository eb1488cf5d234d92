import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { v7 as newId } from "uuid";
import { beforeAll, describe, expect, it } from "vitest";
import type { Principal } from "../../shared/domain/access/principal.ts";
import { unwrap } from "../../shared/domain/app-error.ts";
import { type ConversationObject, OBJECT_HEADERS } from "../../shared/ports/conversation-object.ts";
import { aConversation, modelBehaves, modelWasAsked } from "../../shared/testing/worker/conversations.ts";
import { aPerson, aWorkspace, ownerSql } from "../../shared/testing/worker/people.ts";
import { openSocket } from "../../shared/testing/worker/test-socket.ts";
import { type Bindings, conversationObject } from "../stubs.ts";

const bindings = env as unknown as Bindings;
const open = (id: string): ConversationObject => conversationObject(bindings, id);
const stub = (id: string) => bindings.CONVERSATION.get(bindings.CONVERSATION.idFromName(id));
const page = { branches: "all", limit: 50 } as const;

let owner: Principal;
beforeAll(async () => {
  owner = await aPerson({ id: await aWorkspace(), role: "owner" });
});

async function attached() {
  const conversation = await aConversation(owner, open);
  const socket = await openSocket(conversation.object, owner);
  socket.hello(0);
  await socket.next("welcome");
  const say = (words: string): string => {
    const id = newId();
    socket.send({ type: "message:send", id, text: words });
    return id;
  };
  return { ...conversation, socket, say };
}

const endingsOf = (socket: Awaited<ReturnType<typeof attached>>["socket"]) =>
  socket.all("event").filter(({ event }) => ["turn:completed", "turn:failed", "turn:interrupted"].includes(event.type));

describe("every accepted message gets an ending", () => {
  it("when its turn is stopped before it began", async () => {
    await modelBehaves({ tokens: 100, delayMs: 20 });
    const { object, socket, say } = await attached();
    say("first");
    await socket.next("message:delta");
    const second = unwrap(await object.send(owner, { id: newId(), text: "second", whenBusy: "queue" }, "api"));
    unwrap(await object.stop(owner, second.turnId ?? ""));
    await socket.until("its ending", () =>
      endingsOf(socket).find(({ event }) => "turnId" in event && event.turnId === second.turnId),
    );
    const started = socket
      .all("event")
      .filter(({ event }) => event.type === "turn:started" && event.turnId === second.turnId);
    expect(started).toHaveLength(1);
    unwrap(await object.stop(owner));
    await socket.until("both endings", () => (endingsOf(socket).length === 2 ? true : undefined));
  });

  it("when it is deleted while it waits, and no model hears of it", async () => {
    await modelBehaves({ tokens: 60, delayMs: 20 });
    const { object, socket, say } = await attached();
    say("first");
    await socket.next("message:delta");
    const waiting = say("never mind this one");
    await socket.next("ack", (ack) => ack.id === waiting);
    unwrap(await object.deleteMessage(owner, waiting));
    await socket.until("both endings", () => (endingsOf(socket).length === 2 ? true : undefined));
    expect((await modelWasAsked()).some((request) => request.lastUserText.includes("never mind"))).toBe(false);
  });

  it("also for those who only listen to that turn: their stream ends", async () => {
    const { object, socket, say } = await attached();
    const id = say("once");
    await socket.event("turn:completed");
    const proof = JSON.stringify({ by: "principal", principal: owner });
    const again = await object.fetch(
      new Request("https://conversation/messages", {
        method: "POST",
        headers: { [OBJECT_HEADERS.principal]: proof },
        body: JSON.stringify({ id, text: "once" }),
      }),
    );
    const text = await again.text();
    expect(text).toContain('"duplicate":true');
    expect(text).toContain("turn:completed");
  });

  it("when its provider refuses, with the reason and a way to try again", async () => {
    await modelBehaves({ status: 401 });
    const { object, socket, say } = await attached();
    say("hello");
    const { event } = await socket.event("turn:failed");
    expect(event).toMatchObject({
      canRetry: true,
      error: { code: "provider_failed", message: expect.stringContaining("key") },
    });
    expect(unwrap(await object.messages(owner, page)).items[1]?.metadata.finishReason).toBe("failed");
  });
});

describe("a socket that was closed here", () => {
  it("is deaf, even when its client never answers the close", async () => {
    const { id, object, socket } = await attached();
    const late = newId();
    await runInDurableObject(stub(id), async (instance, state) => {
      const [held] = state.getWebSockets();
      await (instance as unknown as ConversationObject).revoke({ credentialId: owner.credentialId });
      const receive = instance as unknown as { webSocketMessage(socket: WebSocket, data: string): Promise<void> };
      if (held)
        await receive.webSocketMessage(held, JSON.stringify({ type: "message:send", id: late, text: "still me" }));
    });
    expect(await socket.untilClosed()).toMatchObject({ code: 4003 });
    const other = { ...owner, credentialId: newId() };
    expect(unwrap(await object.messages(other, page)).items).toEqual([]);
  });

  it("that claims to have read further than the log goes is told where it ends", async () => {
    const { object } = await attached();
    const ahead = await openSocket(object, owner);
    ahead.hello(99);
    expect(await ahead.next("welcome")).toMatchObject({ lastSeq: 0 });
  });
});

describe("what a model sends", () => {
  it("is stored in a form that Postgres holds, whatever it is", async () => {
    await modelBehaves({ reply: "before\u0000after \ud83d" });
    const { id, socket, say } = await attached();
    say("surprise me");
    await socket.event("turn:completed");
    const sql = ownerSql();
    const stored = async () =>
      (await sql`select text from messages where conversation_id = ${id} and role = 'assistant'`)[0]?.text;
    await expect.poll(stored, { timeout: 5_000 }).toMatch(/^beforeafter/);
    await expect
      .poll(async () => (await sql`select last_seq::int as n from conversations where id = ${id}`)[0]?.n)
      .toBe(4);
  });
});

describe("changes from several sides", () => {
  it("do not undo one another: sharing keeps a title that Postgres has not seen yet", async () => {
    const { id, object, socket, say } = await attached();
    await runInDurableObject(stub(id), async (_instance, state) => state.storage.deleteAlarm());
    say("a title of its own");
    await socket.event("title:changed");
    unwrap(await object.update(owner, { visibility: "workspace" }));
    expect(unwrap(await object.describe(owner))).toMatchObject({
      title: "a title of its own",
      visibility: "workspace",
    });
    expect(socket.all("event").filter(({ event }) => event.type === "title:changed")).toHaveLength(1);
  });

  it("name a model that exists, or are refused with the nearest ones", async () => {
    const { object } = await attached();
    expect(await object.update(owner, { model: "claude-sonet-4-6" })).toMatchObject({
      ok: false,
      error: {
        code: "invalid_request",
        errors: [{ path: "model", message: expect.stringContaining("claude-sonnet-4-6") }],
      },
    });
    expect(unwrap(await object.update(owner, { model: "sonnet" })).model).toBe("anthropic/claude-sonnet-4-6");
  });
});

describe("an object that lost its storage", () => {
  it("knows its totals again, and answers what was accepted and never begun", async () => {
    const { id, object, socket, say } = await attached();
    say("count me");
    await socket.event("turn:completed");
    const before = (await object.context(owner).then(unwrap)).messages;
    const sql = ownerSql();
    await expect
      .poll(async () => (await sql`select last_seq::int as n from conversations where id = ${id}`)[0]?.n, {
        timeout: 5_000,
      })
      .toBe(4);
    const lost = newId();
    const message = {
      id: lost,
      seq: 5,
      updatedSeq: 5,
      parentId: null,
      role: "user",
      parts: [{ type: "text", text: "and me?" }],
      metadata: {},
      createdAt: new Date().toISOString(),
    };
    const event = JSON.stringify({ type: "message:added", message });
    await sql`insert into conversation_events (conversation_id, workspace_id, owner_user_id, visibility, seq, at, event)
      select id, workspace_id, owner_user_id, visibility, 5, now(), ${event}::jsonb from conversations where id = ${id}`;
    await sql`update conversations set last_seq = 5 where id = ${id}`;
    await runInDurableObject(stub(id), async (_instance, state) => {
      await state.storage.deleteAlarm();
      await state.storage.deleteAll();
      state.abort("a test ended it");
    }).catch(() => undefined);
    const back = await openSocket(open(id), owner);
    back.hello(0);
    const welcome = await back.next("welcome");
    expect(welcome.session.usage.inputTokens).toBeGreaterThan(0);
    await back.until("the answer to what was lost", () =>
      back
        .all("event")
        .find(({ event: each }) => each.type === "turn:completed" && each.message.metadata.replyTo === lost),
    );
    expect(unwrap(await open(id).context(owner)).messages).toBe(before + 2);
  });
});
