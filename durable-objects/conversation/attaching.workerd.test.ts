import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { v7 as newId } from "uuid";
import { beforeAll, describe, expect, it } from "vitest";
import { ServerFrame } from "../../shared/contract/frames.ts";
import type { Principal } from "../../shared/domain/access/principal.ts";
import { unwrap } from "../../shared/domain/app-error.ts";
import { type ConversationObject, OBJECT_HEADERS, type UpgradeProof } from "../../shared/ports/conversation-object.ts";
import { aMessage } from "../../shared/testing/builders.ts";
import { aConversationRow, modelBehaves } from "../../shared/testing/worker/conversations.ts";
import { aPerson, aWorkspace } from "../../shared/testing/worker/people.ts";
import { openSocket, type TestSocket } from "../../shared/testing/worker/test-socket.ts";
import { type Bindings, conversationObject } from "../stubs.ts";

const bindings = env as unknown as Bindings;
const open = (id: string): ConversationObject => conversationObject(bindings, id);
const stub = (id: string) => bindings.CONVERSATION.get(bindings.CONVERSATION.idFromName(id));

let owner: Principal;
beforeAll(async () => {
  owner = await aPerson({ id: await aWorkspace(), role: "owner" });
});

/** A conversation whose log begins with so many messages. */
async function withHistory(messages: number, text = "said before") {
  const row = await aConversationRow(owner);
  const object = open(row.id);
  const path = Array.from({ length: messages }, () => aMessage({ id: newId(), text }));
  path.forEach((message, index) => {
    message.parentId = path[index - 1]?.id ?? null;
  });
  unwrap(await object.create(owner, row, { messages: path, headId: path.at(-1)?.id ?? null }));
  return { id: row.id, object };
}

const say = (object: ConversationObject, text: string) =>
  object.send(owner, { id: newId(), text, whenBusy: "queue" }, "api");

const seqs = (socket: TestSocket): number[] => socket.all("event").map(({ seq }) => seq);
const upTo = (seq: number): number[] => Array.from({ length: seq }, (_each, index) => index + 1);

/** What a client that only follows offsets shows of the running answer; throws where one does not fit. */
function shown(socket: TestSocket): string {
  let text = "";
  for (const frame of socket.frames) {
    if (frame.type === "message:snapshot") text = frame.parts.map((part) => ("text" in part ? part.text : "")).join("");
    if (frame.type !== "message:delta") continue;
    if (frame.offset !== text.length) throw new Error(`offset ${frame.offset} does not fit ${text.length} units`);
    text += frame.text;
  }
  return text;
}

describe("a client that asks for a long log from its start", () => {
  it("gets it whole and in order while others talk, then the running answer", async () => {
    await modelBehaves({ tokens: 60, delayMs: 10 });
    const { object } = await withHistory(3_000);
    const talker = await openSocket(object, owner);
    talker.hello();
    await talker.next("welcome");
    talker.send({ type: "message:send", id: newId(), text: "and now?" });
    await talker.next("message:delta");
    const reader = await openSocket(object, owner);
    reader.hello(0);
    const { event, seq } = await reader.event("turn:completed");
    expect(seqs(reader)).toEqual(upTo(seq));
    const whole = event.type === "turn:completed" ? event.message.parts : [];
    expect(whole).toMatchObject([{ type: "text", text: shown(reader) }]);
  });

  it("does not keep another from being answered", async () => {
    const { object } = await withHistory(5_000);
    const [reader, other] = [await openSocket(object, owner), await openSocket(object, owner)];
    other.hello();
    await other.next("welcome");
    reader.hello(0);
    other.send({ type: "command:execute", id: newId(), command: "/help" });
    await other.next("command:result");
    expect(seqs(reader).length).toBeLessThan(5_000);
    await reader.until("the whole log", () => (seqs(reader).length === 5_000 ? true : undefined));
    expect(seqs(reader)).toEqual(upTo(5_000));
  });
});

describe("devices that attach while an answer is written", () => {
  it("all see it from its first character, each offset where the last ended, and agree on who is there", async () => {
    await modelBehaves({ tokens: 150, delayMs: 8 });
    const { object } = await withHistory(2);
    const devices: TestSocket[] = [];
    const attach = async (): Promise<void> => {
      const device = await openSocket(object, owner);
      device.hello(0);
      devices.push(device);
    };
    await attach();
    unwrap(await say(object, "go"));
    await devices[0]?.next("message:delta");
    for (let i = 0; i < 39; i++) await attach();
    const whole = Array.from({ length: 150 }, (_each, index) => `t${index}`).join(" ");
    for (const device of devices) {
      await device.event("turn:completed");
      expect(shown(device)).toBe(whole);
    }
    await devices[0]?.next("session:info", ({ attached }) => attached === 40);
    devices[1]?.close();
    await devices[0]?.next("session:info", ({ attached }) => attached === 39);
  });

  it("can each stop it, and all hear the same ending", async () => {
    await modelBehaves({ tokens: 500, delayMs: 10 });
    const { object } = await withHistory(0);
    const [one, two] = [await openSocket(object, owner), await openSocket(object, owner)];
    for (const device of [one, two]) device.hello(0);
    unwrap(await say(object, "go on and on"));
    await one.next("message:delta");
    two.send({ type: "turn:stop", id: newId() });
    const [heard, said] = [await one.event("turn:interrupted"), await two.event("turn:interrupted")];
    expect(heard).toEqual(said);
    const parts = heard.event.type === "turn:interrupted" ? heard.event.message.parts : [];
    expect(parts).toMatchObject([{ text: shown(one) }]);
  });

  it("are still attached, and at the right place, after the object has hibernated", async () => {
    await modelBehaves({ reply: "one" }, { tokens: 40, delayMs: 10 });
    const { id, object } = await withHistory(3);
    const socket = await openSocket(object, owner);
    socket.hello(0);
    unwrap(await say(object, "first"));
    const { seq } = await socket.event("turn:completed");
    await evictDurableObject(stub(id));
    unwrap(await say(object, "second"));
    await socket.until("deltas", () => (socket.all("message:delta").length > 5 ? true : undefined));
    const late = await openSocket(object, owner);
    late.hello(seq);
    const last = await late.event("turn:completed");
    await socket.next("event", (frame) => frame.seq === last.seq);
    expect(seqs(socket)).toEqual(upTo(last.seq));
    expect(seqs(late)).toEqual(upTo(last.seq).slice(seq));
    const answer = last.event.type === "turn:completed" ? last.event.message.parts : [];
    expect(answer).toMatchObject([{ text: shown(late) }]);
  });
});

describe("a report", () => {
  it("of what was never sent is answered with a sentence; one of what was, with nothing", async () => {
    const { object } = await withHistory(3);
    const socket = await openSocket(object, owner);
    socket.hello(0);
    await socket.next("event", ({ seq }) => seq === 3);
    socket.send({ type: "received", seq: 3 });
    socket.send({ type: "received", seq: 1 });
    socket.send({ type: "received", seq: 4 });
    expect(await socket.next("error")).toMatchObject({
      code: "invalid_request",
      message: expect.stringContaining("4"),
    });
    expect(socket.all("error")).toHaveLength(1);
    expect(socket.closed).toBeNull();
  });
});

it("resuming costs the object the same in a long conversation as in a short one: no query reads more", async () => {
  const read = async (messages: number): Promise<number> => {
    const { id, object } = await withHistory(messages);
    const socket = await openSocket(object, owner);
    socket.hello();
    await socket.next("welcome");
    const cursors: { rowsRead: number }[] = [];
    await runInDurableObject(stub(id), (_instance, { storage: { sql } }) => {
      const exec = sql.exec.bind(sql);
      const counted: typeof sql.exec = (query, ...bindings) => {
        const cursor = exec<Record<string, SqlStorageValue>>(query, ...bindings);
        cursors.push(cursor);
        return cursor as never;
      };
      Object.defineProperty(sql, "exec", { value: counted });
    });
    socket.hello(messages - 50);
    await socket.next("event", ({ seq }) => seq === messages);
    return await runInDurableObject(stub(id), () => cursors.reduce((sum, { rowsRead }) => sum + rowsRead, 0));
  };
  const short = await read(100);
  expect(short).toBeGreaterThanOrEqual(50);
  expect(await read(3_000)).toBe(short);
});

describe("an SSE stream", () => {
  const proof: UpgradeProof = { by: "principal", principal: {} as Principal };
  const request = (path: string): Request =>
    new Request(`https://conversation${path}`, {
      headers: { [OBJECT_HEADERS.principal]: JSON.stringify({ ...proof, principal: owner }) },
    });

  /** The frames of a stream, until one passes. */
  async function readUntil(response: Response, enough: (frame: ServerFrame) => boolean): Promise<ServerFrame[]> {
    const frames: ServerFrame[] = [];
    if (!response.body) return frames;
    let text = "";
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const blocks = text.split("\n\n");
      text = blocks.pop() ?? "";
      for (const block of blocks) {
        const data = block.split("\n").find((line) => line.startsWith("data: "));
        if (!data) continue;
        const frame = ServerFrame.parse(JSON.parse(data.slice(6)));
        if (frame.type === "event") expect(block).toContain(`id: ${frame.seq}\n`);
        frames.push(frame);
        if (enough(frame)) return frames;
      }
    }
    return frames;
  }

  it("brings a long log in order, without a gap to what happens meanwhile", async () => {
    await modelBehaves({ tokens: 30, delayMs: 10 });
    const { object } = await withHistory(2_000);
    const response = await object.fetch(request("/events?after=10"));
    unwrap(await say(object, "and now?"));
    const frames = await readUntil(
      response,
      (frame) => frame.type === "event" && frame.event.type === "turn:completed",
    );
    const events = frames.flatMap((frame) => (frame.type === "event" ? [frame.seq] : []));
    expect(events).toEqual(Array.from({ length: events.length }, (_each, index) => index + 11));
    expect(events.length).toBeGreaterThan(1_992);
  });

  it("begins at the start for a reader who has read further than this log goes: it is another log", async () => {
    const { object } = await withHistory(3);
    const response = await object.fetch(request("/events?after=40"));
    const frames = await readUntil(response, (frame) => frame.type === "event" && frame.seq === 3);
    expect(frames.flatMap((frame) => (frame.type === "event" ? [frame.seq] : []))).toEqual([1, 2, 3]);
  });

  it("whose reader stands still is given up, and the object keeps nothing for it", async () => {
    const { object } = await withHistory(0);
    const response = await object.fetch(request("/events?after=0"));
    const attached = async (): Promise<number> => {
      const context = await openSocket(object, owner);
      context.hello();
      const { session } = await context.next("welcome");
      context.close();
      return session.attached;
    };
    expect(await attached()).toBe(2);
    await modelBehaves({ reply: "ok" });
    for (let i = 0; i < 12; i++) unwrap(await say(object, "x".repeat(900_000)));
    await expect.poll(attached, { timeout: 10_000 }).toBe(1);
    await response.body?.cancel().catch(() => {});
  });
});
