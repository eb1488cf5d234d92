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

let owner: Principal;
let colleague: Principal;
let onlooker: Principal;
beforeAll(async () => {
  const workspaceId = await aWorkspace();
  owner = await aPerson({ id: workspaceId, role: "owner" });
  colleague = await aPerson({ id: workspaceId, role: "member" });
  onlooker = await aPerson({ id: workspaceId, role: "viewer" });
});

async function attached() {
  const conversation = await aConversation(owner, open);
  const socket = await openSocket(conversation.object, owner);
  socket.hello(0);
  await socket.next("welcome");
  return { ...conversation, socket };
}

async function joining(object: ConversationObject, person: Principal) {
  const socket = await openSocket(object, person);
  socket.hello(0);
  await socket.next("welcome");
  return socket;
}

describe("a turn of several steps at a real vendor's wire", () => {
  it("lets the model use a tool and read its result, and counts both requests", async () => {
    await modelBehaves(
      { reply: "Let me see.", toolCalls: [{ name: "current_time", input: { timeZone: "Asia/Tokyo" } }] },
      { reply: "It is late." },
    );
    const { object, socket } = await attached();
    socket.send({ type: "message:send", id: newId(), text: "how late is it?" });
    const { event } = await socket.event("turn:completed");
    expect(event).toMatchObject({
      message: {
        parts: [
          { type: "text", text: "Let me see." },
          { type: "tool-call", name: "current_time", step: 0 },
          { type: "tool-result", isError: false, output: { timeZone: "Asia/Tokyo" }, step: 0 },
          { type: "text", text: "It is late." },
        ],
      },
    });
    const kinds = socket.all("event").map((each) => each.event.type);
    expect(kinds.indexOf("tool:requested")).toBeLessThan(kinds.indexOf("tool:completed"));
    const second = (await modelWasAsked()).at(-1)?.body as {
      messages: { role: string; content: { type: string }[] }[];
    };
    expect(second.messages.map(({ role, content }) => [role, content.map((block) => block.type)])).toEqual([
      ["user", ["text"]],
      ["assistant", ["text", "tool_use"]],
      ["user", ["tool_result"]],
    ]);
    const { items } = unwrap(await object.messages(owner, { branches: "active", limit: 50 }));
    expect(items).toHaveLength(2);
  });

  it("lets people steer what they asked for, and shows it to everyone; another's wish waits for a turn of its own", async () => {
    await modelBehaves({ tokens: 40, delayMs: 20 }, { reply: "short" });
    const { object, socket } = await attached();
    unwrap(await object.update(owner, { visibility: "workspace" }));
    const other = await joining(object, colleague);
    const reader = await joining(object, onlooker);
    const question = newId();
    socket.send({ type: "message:send", id: question, text: "long story" });
    await socket.next("message:delta");
    const [steering, own] = [newId(), newId()];
    socket.send({ type: "message:send", id: steering, text: "make it short", whenBusy: "steer" });
    expect(await socket.next("ack", (ack) => ack.id === steering)).toMatchObject({ state: "steered" });
    other.send({ type: "message:send", id: own, text: "make it long", whenBusy: "steer" });
    expect(await other.next("ack")).toMatchObject({ id: own, state: "queued" });
    const refused = newId();
    reader.send({ type: "message:send", id: refused, text: "me too", whenBusy: "steer" });
    expect(await reader.next("error")).toMatchObject({ id: refused, code: "forbidden" });
    reader.send({ type: "tool:answer", id: newId(), callId: "any", decision: "allow-always" });
    expect(await reader.next("error", (error) => error.id !== refused)).toMatchObject({ code: "forbidden" });
    for (const each of [socket, other, reader]) {
      const { event } = await each.event("turn:completed");
      expect(event).toMatchObject({ message: { metadata: { replyTo: question, steeredBy: [steering] } } });
      await each.next("event", ({ event: then }) => then.type === "turn:started" && then.replyTo === own);
    }
  });
});

describe("a stream of a message that steers", () => {
  const streamOf = async (object: ConversationObject, body: object): Promise<string> => {
    const response = await object.fetch(
      new Request("https://conversation/messages", {
        method: "POST",
        headers: { [OBJECT_HEADERS.principal]: JSON.stringify({ by: "principal", principal: owner }) },
        body: JSON.stringify({ whenBusy: "steer", ...body }),
      }),
    );
    return await response.text();
  };

  it("ends with the turn that it reached", async () => {
    await modelBehaves({ tokens: 20, delayMs: 20 }, { reply: "short" });
    const { object, socket } = await attached();
    socket.send({ type: "message:send", id: newId(), text: "long story" });
    await socket.next("message:delta");
    const text = await streamOf(object, { id: newId(), text: "make it short" });
    expect(text.match(/"turn:completed"/g)).toHaveLength(1);
    expect(text).not.toContain('"turn:started"');
  });

  it("goes on to the turn of its own where it reached none", async () => {
    await modelBehaves({ tokens: 400, delayMs: 20 }, { reply: "answered after all" });
    const { object, socket } = await attached();
    socket.send({ type: "message:send", id: newId(), text: "long story" });
    await socket.next("message:delta");
    const id = newId();
    const streamed = streamOf(object, { id, text: "make it short" });
    await socket.next("event", ({ event }) => event.type === "message:added" && event.message.id === id);
    socket.send({ type: "turn:stop", id: newId() });
    const text = await streamed;
    expect(text.indexOf('"turn:interrupted"')).toBeLessThan(text.indexOf("answered after all"));
    expect(text).toContain('"turn:completed"');
    expect((await streamOf(object, { id, text: "make it short" })).match(/"turn:completed"/g)).toHaveLength(1);
  });
});

describe("an object that lost its storage", () => {
  async function lose(id: string): Promise<void> {
    await runInDurableObject(stub(id), async (_instance, state) => {
      await state.storage.deleteAlarm();
      await state.storage.deleteAll();
      state.abort("a test ended it");
    }).catch(() => undefined);
  }
  const drained = (id: string, seq: number) =>
    expect
      .poll(async () => (await ownerSql()`select last_seq::int as n from conversations where id = ${id}`)[0]?.n, {
        timeout: 5_000,
      })
      .toBeGreaterThanOrEqual(seq);

  it("does not answer again what steered an answer, and answers what reached none", async () => {
    await modelBehaves({ tokens: 20, delayMs: 20 }, { reply: "short" });
    const { id, socket } = await attached();
    socket.send({ type: "message:send", id: newId(), text: "long story" });
    await socket.next("message:delta");
    socket.send({ type: "message:send", id: newId(), text: "make it short", whenBusy: "steer" });
    await drained(id, (await socket.event("turn:completed")).seq);
    await lose(id);
    const back = await joining(open(id), owner);
    expect(await back.next("welcome")).toMatchObject({ session: { busy: false } });

    await modelBehaves({ tokens: 400, delayMs: 20 }, { reply: "answered after all" });
    back.send({ type: "message:send", id: newId(), text: "another long story" });
    await back.next("message:delta");
    const unheard = newId();
    back.send({ type: "message:send", id: unheard, text: "nobody hears me", whenBusy: "steer" });
    await drained(id, (await back.next("ack", (ack) => ack.id === unheard)).seq);
    await lose(id);
    const again = await joining(open(id), owner);
    const { event } = await again.next("event", ({ event }) => {
      return event.type === "turn:completed" && event.message.metadata.replyTo === unheard;
    });
    expect(event).toMatchObject({ message: { parts: [{ text: "answered after all" }] } });
  });
});
