import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { v7 as newId } from "uuid";
import { beforeAll, describe, expect, it } from "vitest";
import type { Principal } from "../../shared/domain/access/principal.ts";
import { unwrap } from "../../shared/domain/app-error.ts";
import type { ConversationObject } from "../../shared/ports/conversation-object.ts";
import { aConversation, modelBehaves, modelWasAsked } from "../../shared/testing/worker/conversations.ts";
import { aPerson, aWorkspace, ownerSql } from "../../shared/testing/worker/people.ts";
import { openSocket } from "../../shared/testing/worker/test-socket.ts";
import { type Bindings, conversationObject } from "../stubs.ts";

const bindings = env as unknown as Bindings;
const open = (id: string): ConversationObject => conversationObject(bindings, id);
const stub = (id: string) => bindings.CONVERSATION.get(bindings.CONVERSATION.idFromName(id));
const text = (object: ConversationObject, principal: Principal, words: string) =>
  object.send(principal, { id: newId(), text: words, whenBusy: "queue" }, "api");

/** What a reset of the isolate does: memory and sockets are gone from one moment to the next, storage stays. */
async function crash(id: string): Promise<void> {
  await runInDurableObject(stub(id), (_instance, state) => state.abort("a test ended it")).catch(() => undefined);
}

let owner: Principal;
beforeAll(async () => {
  owner = await aPerson({ id: await aWorkspace(), role: "owner" });
});

async function attached(since?: number) {
  const conversation = await aConversation(owner, open);
  const socket = await openSocket(conversation.object, owner);
  socket.hello(since ?? 0);
  await socket.next("welcome");
  return { ...conversation, socket };
}

describe("a message", () => {
  it("is acknowledged after it is durable and before any model is called", async () => {
    await modelBehaves({ headersDelayMs: 300, reply: "late" });
    const { id, socket } = await attached();
    const messageId = newId();
    socket.send({ type: "message:send", id: messageId, text: "are you there?" });
    const ack = await socket.next("ack");
    expect(ack).toEqual({ type: "ack", id: messageId, seq: 1, state: "started", duplicate: false });
    expect((await modelWasAsked()).some((request) => request.lastUserText === "are you there?")).toBe(false);
    await crash(id);
    const { items } = unwrap(await open(id).messages(owner, { branches: "active", limit: 50 }));
    expect(items[0]).toMatchObject({
      id: messageId,
      seq: 1,
      role: "user",
      parts: [{ type: "text", text: "are you there?" }],
    });
    const ending = async () =>
      unwrap(await open(id).messages(owner, { branches: "active", limit: 50 })).items[1]?.metadata;
    await expect.poll(async () => (await ending())?.finishReason, { timeout: 10_000 }).toBe("stop");
  });

  it("streams its answer and stores what the model said, with model, usage, cost and receipt", async () => {
    await modelBehaves({ thinking: "let me see", reply: "The answer is forty two." });
    const { object, socket } = await attached();
    socket.send({ type: "message:send", id: newId(), text: "what is it?" });
    const { event } = await socket.event("turn:completed");
    const started = await socket.event("turn:started");
    const { items } = unwrap(await object.messages(owner, { branches: "active", limit: 50 }));
    expect(items).toHaveLength(2);
    expect(items[1]).toMatchObject({
      role: "assistant",
      parts: [
        { type: "thinking", text: "let me see" },
        { type: "text", text: "The answer is forty two." },
      ],
      metadata: {
        provider: "anthropic",
        finishReason: "stop",
        usage: { inputTokens: expect.any(Number) },
        latencyMs: expect.any(Number),
        microUsd: expect.any(Number),
      },
    });
    expect(event).toMatchObject({ message: { id: items[1]?.id } });
    expect(started.event).toMatchObject({
      receipt: { id: items[1]?.metadata.receiptId, chosen: { provider: "anthropic" } },
    });
    const shown = socket.all("message:delta").filter((delta) => delta.kind === "text");
    expect(shown.map((delta) => delta.text).join("")).toBe("The answer is forty two.");
  });

  it("is taken once, however often it is sent, and its id stands for nothing else", async () => {
    const { object, socket } = await attached();
    const id = newId();
    socket.send({ type: "message:send", id, text: "once" });
    await socket.event("turn:completed");
    socket.send({ type: "message:send", id, text: "once" });
    await socket.next("ack", (ack) => ack.duplicate);
    socket.send({ type: "message:send", id, text: "something else" });
    expect(await socket.next("error")).toMatchObject({ id, code: "idempotency_conflict" });
    expect(unwrap(await object.messages(owner, { branches: "all", limit: 50 })).items).toHaveLength(2);
  });

  it("waits its turn while another is answered, and is refused where the sender does not want to wait", async () => {
    await modelBehaves({ tokens: 20, delayMs: 10 }, { reply: "second" });
    const { object, socket } = await attached();
    socket.send({ type: "message:send", id: newId(), text: "first" });
    await socket.next("message:delta");
    socket.send({ type: "message:send", id: newId(), text: "then this" });
    const impatient = newId();
    socket.send({ type: "message:send", id: impatient, text: "now or never", whenBusy: "reject" });
    expect(await socket.next("ack", (ack) => ack.state === "queued")).toBeDefined();
    expect(await socket.next("error")).toMatchObject({ id: impatient, code: "busy" });
    await socket.until("two endings", () =>
      socket.all("event").filter((frame) => frame.event.type === "turn:completed").length === 2 ? true : undefined,
    );
    const asked = (await modelWasAsked()).at(-1)?.body as { messages: { role: string }[] };
    expect(asked.messages.map((message) => message.role)).toEqual(["user", "assistant", "user"]);
    expect(unwrap(await object.messages(owner, { branches: "active", limit: 50 })).items).toHaveLength(4);
  });
});

describe("a client", () => {
  it("that comes back gets every event after its position, once and in order", async () => {
    const { object, socket } = await attached();
    socket.send({ type: "message:send", id: newId(), text: "one" });
    await socket.event("turn:completed");
    socket.close();
    unwrap(await text(object, owner, "two"));
    const back = await openSocket(object, owner);
    const last = socket.all("event").at(-1)?.seq ?? 0;
    back.hello(last);
    await back.event("turn:completed");
    const seqs = back.all("event").map((frame) => frame.seq);
    expect(seqs[0]).toBe(last + 1);
    expect(seqs).toEqual(seqs.map((_seq, index) => last + 1 + index));
  });

  it("that attaches in the middle sees the running answer from its first character", async () => {
    await modelBehaves({ tokens: 30, delayMs: 15 });
    const { object, socket } = await attached();
    socket.send({ type: "message:send", id: newId(), text: "long" });
    await socket.until("some deltas", () => (socket.all("message:delta").length > 5 ? true : undefined));
    const late = await openSocket(object, owner);
    late.hello();
    const snapshot = await late.next("message:snapshot");
    await late.event("turn:completed");
    const [part] = snapshot.parts;
    const prefix = part?.type === "text" ? part.text : "";
    const rest = late.all("message:delta");
    expect(rest[0]?.offset).toBe(prefix.length);
    const whole = prefix + rest.map((delta) => delta.text).join("");
    expect(whole).toBe(Array.from({ length: 30 }, (_each, index) => `t${index}`).join(" "));
  });

  it("can stop the answer; what was shown stays", async () => {
    await modelBehaves({ tokens: 500, delayMs: 10 });
    const { object, socket } = await attached();
    socket.send({ type: "message:send", id: newId(), text: "go on" });
    await socket.next("message:delta");
    socket.send({ type: "turn:stop", id: newId() });
    const { event } = await socket.event("turn:interrupted");
    expect(event).toMatchObject({ willContinue: false, why: expect.stringContaining("Ada") });
    const { items } = unwrap(await object.messages(owner, { branches: "active", limit: 50 }));
    expect(items[1]?.parts[0]).toMatchObject({ type: "text", text: expect.stringMatching(/^t0/) });
    expect(socket.all("event").filter((frame) => frame.event.type === "turn:completed")).toEqual([]);
  });

  it.each([
    ["no JSON", () => "{", "invalid_json"],
    ["an unknown type", () => '{"type":"dance"}', "invalid_request"],
    ["a wrong id", () => '{"type":"message:send","id":"1","text":"x"}', "invalid_request"],
    ["an unknown field", () => '{"type":"received","seq":1,"x":1}', "unknown_field"],
    ["an empty message", () => JSON.stringify({ type: "message:send", id: newId(), text: "" }), "invalid_request"],
    [
      "a frame of 1 MiB + 1",
      () => {
        const frame = (text: string) => JSON.stringify({ type: "message:send", id: newId(), text });
        return frame("x".repeat(1024 * 1024 + 1 - frame("").length));
      },
      "too_large",
    ],
    ["binary", () => new Uint8Array([1, 2]).buffer, "invalid_request"],
    [
      "an answer to no tool",
      () => JSON.stringify({ type: "tool:answer", id: newId(), callId: "c", decision: "deny" }),
      "not_found",
    ],
  ])("that sends %s is told so and stays connected", async (_what, data, code) => {
    const { socket } = await attached();
    socket.sendRaw(data());
    expect(await socket.next("error")).toMatchObject({ code, message: expect.stringMatching(/.{10}/) });
    socket.send({ type: "message:send", id: newId(), text: "still here" });
    await socket.next("ack");
  });

  it("must greet first, in a protocol that the server speaks", async () => {
    const { object } = await aConversation(owner, open);
    const rude = await openSocket(object, owner);
    rude.send({ type: "message:send", id: newId(), text: "hi" });
    expect(await rude.next("error")).toMatchObject({ message: expect.stringContaining("hello") });
    const future = await openSocket(object, owner);
    future.send({ type: "hello", protocol: 99, client: { name: "t", version: "1", kind: "api" } });
    expect(await future.untilClosed()).toMatchObject({ code: 4010 });
  });

  it("keeps unicode as it is and mends what no database holds", async () => {
    const { object, socket } = await attached();
    const words = "naïve 🦊 שלום ﷽ \u202e";
    socket.sendRaw(
      `{"type":"message:send","id":"${newId()}","text":${JSON.stringify(words).slice(0, -1)}\\u0000\\ud800"}`,
    );
    await socket.event("turn:completed");
    const { items } = unwrap(await object.messages(owner, { branches: "active", limit: 50 }));
    expect(items[0]?.parts).toEqual([{ type: "text", text: `${words}\ufffd` }]);
  });
});

describe("an object that goes away in the middle of an answer", () => {
  it("runs the step again when nothing was shown yet", async () => {
    await modelBehaves({ hangBeforeHeaders: true }, { reply: "after the restart" });
    const { id, object, socket } = await attached();
    unwrap(await text(object, owner, "hello, is it me?"));
    await socket.event("turn:started");
    await expect.poll(async () => (await modelWasAsked()).at(-1)?.lastUserText).toBe("hello, is it me?");
    await crash(id);
    const back = await openSocket(open(id), owner);
    back.hello(0);
    const { event } = await back.event("turn:completed");
    expect(event).toMatchObject({ message: { parts: [{ type: "text", text: "after the restart" }] } });
    expect(back.all("event").filter((frame) => frame.event.type === "turn:started")).toHaveLength(1);
  });

  it("continues shown text behind a visible seam and never takes it back", async () => {
    await modelBehaves({ tokens: 80, delayMs: 20 }, { reply: "and the rest" });
    const { id, object, socket } = await attached();
    unwrap(await text(object, owner, "tell me"));
    await socket.until("half the answer", () => (socket.all("message:delta").length > 25 ? true : undefined));
    await crash(id);
    const back = await openSocket(open(id), owner);
    back.hello(0);
    const { event } = await back.event("turn:completed");
    await back.event("turn:continued");
    const parts = event.type === "turn:completed" ? event.message.parts : [];
    expect(parts).toHaveLength(2);
    expect(parts[0]).toMatchObject({ text: expect.stringMatching(/^t0 t1/) });
    expect(parts[1]).toMatchObject({ text: "and the rest" });
  });
});

describe("the write-behind", () => {
  it("brings every event and its effect to Postgres, in order", async () => {
    const { id, object, socket } = await attached();
    unwrap(await text(object, owner, "remember this"));
    await socket.event("turn:completed");
    const sql = ownerSql();
    await expect
      .poll(
        async () => (await sql`select count(*)::int as n from conversation_events where conversation_id = ${id}`)[0]?.n,
        { timeout: 5_000 },
      )
      .toBe(4);
    const events =
      await sql`select seq::int, event->>'type' as type from conversation_events where conversation_id = ${id} order by seq`;
    expect(events).toEqual([
      { seq: 1, type: "message:added" },
      { seq: 2, type: "turn:started" },
      { seq: 3, type: "title:changed" },
      { seq: 4, type: "turn:completed" },
    ]);
    const messages = await sql`select role, text from messages where conversation_id = ${id} order by seq`;
    expect(messages).toEqual([
      { role: "user", text: "remember this" },
      { role: "assistant", text: "You said: remember this" },
    ]);
    const [row] = await sql`select title, last_seq::int from conversations where id = ${id}`;
    expect(row).toEqual({ title: "remember this", last_seq: 4 });
  });

  it("gives a lost object everything back, and it goes on at the next position", async () => {
    const { id, object, socket } = await attached();
    unwrap(await text(object, owner, "do not forget"));
    const last = (await socket.event("turn:completed")).seq;
    await expect
      .poll(async () => (await ownerSql()`select last_seq::int as n from conversations where id = ${id}`)[0]?.n, {
        timeout: 5_000,
      })
      .toBe(last);
    await runInDurableObject(stub(id), async (_instance, state) => {
      await state.storage.deleteAlarm();
      await state.storage.deleteAll();
    });
    await crash(id);
    const { items } = unwrap(await open(id).messages(owner, { branches: "active", limit: 50 }));
    expect(items.map((message) => message.role)).toEqual(["user", "assistant"]);
    expect(unwrap(await text(open(id), owner, "and on")).seq).toBe(last + 1);
  });
});
