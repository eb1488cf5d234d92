import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { textOf } from "../contract/message.ts";
import { type FakeConversation, ProtocolServer } from "../testing/node/protocol-server.ts";
import { systemClock } from "./clock.ts";
import { ConversationClient, type ConversationClientOptions } from "./conversation-client.ts";
import { memoryOutbox } from "./outbox.ts";
import { reduceView } from "./view.ts";
import { emptyView, type View, type ViewAction } from "./view-state.ts";

// Other suites share the machine: what takes milliseconds alone may take seconds.
vi.setConfig({ testTimeout: 30_000 });
const eventually = (check: () => unknown): Promise<unknown> => vi.waitFor(check, { timeout: 10_000 });

let server: ProtocolServer;
let conversation: FakeConversation;
const clients: ConversationClient[] = [];

beforeEach(async () => {
  server = await new ProtocolServer().start();
  conversation = server.create();
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.stop();
  await server.stop();
});

interface Seen {
  client: ConversationClient;
  view: View;
  actions: ViewAction[];
}

function connect(options: Partial<ConversationClientOptions> = {}): Seen {
  const client = new ConversationClient({
    url: server.url,
    conversationId: conversation.id,
    auth: { token: server.token },
    client: { name: "test", version: "1", kind: "tui" },
    storage: memoryOutbox(),
    // Waits are real but short.
    clock: { ...systemClock, random: () => 0, after: (ms, run) => systemClock.after(Math.min(ms, 1500) / 10, run) },
    ...options,
  });
  const seen: Seen = { client, view: emptyView, actions: [] };
  client.subscribe((action) => {
    seen.actions.push(action);
    seen.view = reduceView(seen.view, action);
  });
  clients.push(client);
  return seen;
}

const texts = (view: View): string[] => view.messages.map(({ parts }) => textOf(parts));
const answered = (seen: Seen, count = 1): Promise<unknown> =>
  eventually(() => {
    expect(seen.view.messages.filter(({ role, status }) => role === "assistant" && status === "done")).toHaveLength(
      count,
    );
  });

test("a message is acknowledged, answered and shown once", async () => {
  const seen = connect();
  await seen.client.start();
  const sending = seen.client.send({ text: "hello" });
  expect(seen.view.messages.map(({ status }) => status)).toEqual(["sending"]);
  await expect(sending.acknowledged).resolves.toMatchObject({ seq: 1 });
  await answered(seen);
  expect(texts(seen.view)).toEqual(["hello", "You said: hello"]);
  expect(seen.view.messages[0]?.status).toBe("answered");
  expect(seen.view.pending).toEqual([]);
});

test.each([
  ["after it was stored", { dropBeforeAck: 1 }],
  ["before it was stored", { dropBeforeStore: 1 }],
  ["three times", { dropBeforeStore: 2, dropBeforeAck: 1 }],
])("a message whose socket dies %s arrives exactly once", async (_, faults) => {
  Object.assign(conversation.faults, faults);
  const seen = connect();
  await seen.client.start();
  await seen.client.send({ text: "once" }).acknowledged;
  await answered(seen);
  expect(conversation.log.filter(({ event }) => event.type === "message:added")).toHaveLength(1);
  expect(texts(seen.view)).toEqual(["once", "You said: once"]);
});

test("duplicated frames change nothing", async () => {
  conversation.faults.sendTwice = true;
  const seen = connect();
  await seen.client.start();
  await seen.client.send({ text: "twice" }).acknowledged;
  await answered(seen);
  expect(texts(seen.view)).toEqual(["twice", "You said: twice"]);
});

test("a gap in the events is closed by resuming, and nothing is shown twice", async () => {
  const seen = connect();
  await seen.client.start();
  await eventually(() => expect(seen.view.connection.state).toBe("open"));
  conversation.faults.skipEvents = 1;
  await seen.client.send({ text: "gap" }).acknowledged;
  await answered(seen);
  const seqs = seen.actions.flatMap((action) =>
    action.type === "frame" && action.frame.type === "event" ? [action.frame.seq] : [],
  );
  expect(seqs).toEqual(conversation.log.map(({ seq }) => seq));
  expect(conversation.received.filter(({ type }) => type === "hello").length).toBeGreaterThan(1);
});

test("an answer that is cut in the middle goes on where it was", async () => {
  conversation.script = () => ({
    parts: [{ type: "text", text: "a long answer ".repeat(20) }],
    pieceLength: 7,
    everyMs: 4,
  });
  const seen = connect();
  await seen.client.start();
  await seen.client.send({ text: "tell" }).acknowledged;
  await eventually(() => expect(texts(seen.view)[1]?.length).toBeGreaterThan(20));
  conversation.cut();
  await answered(seen);
  expect(seen.actions).toContainEqual({
    type: "connection",
    connection: expect.objectContaining({ state: "waiting" }),
  });
  expect(
    seen.actions.filter((action) => action.type === "frame" && action.frame.type === "message:snapshot"),
  ).toHaveLength(1);
  expect(texts(seen.view)[1]).toBe("a long answer ".repeat(20));
});

test("what is written while the server is away goes out when it is back, in order", async () => {
  const seen = connect();
  await seen.client.start();
  await eventually(() => expect(seen.view.connection.state).toBe("open"));
  const port = Number(new URL(server.url).port);
  await server.stop();
  await eventually(() => expect(seen.view.connection.state).not.toBe("open"));
  const sendings = ["first", "second"].map((text) => seen.client.send({ text }));
  await server.start(port);
  await Promise.all(sendings.map(({ acknowledged }) => acknowledged));
  await answered(seen, 2);
  const added = conversation.log.flatMap(({ event }) =>
    event.type === "message:added" ? [textOf(event.message.parts)] : [],
  );
  expect(added).toEqual(["first", "second"]);
});

test("what an earlier run left in the outbox is sent with its own id", async () => {
  const storage = memoryOutbox();
  const port = Number(new URL(server.url).port);
  await server.stop();
  const first = connect({ storage });
  await first.client.start();
  const { id } = first.client.send({ text: "survives" });
  await eventually(async () => expect(await storage.load()).toHaveLength(1));
  first.client.stop();
  await server.start(port);
  const second = connect({ storage });
  await second.client.start();
  await answered(second);
  expect(second.view.messages[0]?.id).toBe(id);
  await eventually(async () => expect(await storage.load()).toEqual([]));
});

test("a refused message is failed with its reason and is not sent again by itself", async () => {
  conversation.faults.refuse = { code: "conflict", message: "No." };
  const storage = memoryOutbox();
  const seen = connect({ storage });
  await seen.client.start();
  const { id, acknowledged } = seen.client.send({ text: "refused" });
  await expect(acknowledged).rejects.toMatchObject({ code: "conflict", message: "No." });
  expect(seen.view.messages).toMatchObject([{ id, status: "failed", error: "No." }]);
  conversation.cut();
  await eventually(() => expect(conversation.received.filter(({ type }) => type === "hello")).toHaveLength(2));
  expect(conversation.log).toEqual([]);
  seen.client.resend(id);
  await answered(seen);
  expect(await storage.load()).toEqual([]);
});

test("a message that no frame can carry is refused at once and not kept", async () => {
  const storage = memoryOutbox();
  const seen = connect({ storage });
  await seen.client.start();
  expect(() => seen.client.send({ text: "漢".repeat(400_000) })).toThrow(/1,048,576 bytes/);
  expect(() => seen.client.send({ text: "x", id: "not an id" })).toThrow(/id/);
  expect(await storage.load()).toEqual([]);
  expect(seen.view.messages).toEqual([]);
});

test("a message refused for now is sent again by itself", async () => {
  conversation.faults.refuse = { code: "rate_limited", message: "Slower.", retryAfterMs: 100 };
  const seen = connect();
  await seen.client.start();
  await seen.client.send({ text: "patience" }).acknowledged;
  await answered(seen);
});

test("commands answer, and one whose connection is lost says so", async () => {
  const seen = connect();
  await seen.client.start();
  await expect(seen.client.command("/help")).resolves.toMatchObject({ ok: true, text: "Commands: /help" });
  await expect(seen.client.command("/hepl")).resolves.toMatchObject({ ok: false });
  const unanswered = seen.client.command("/silence");
  await eventually(() =>
    expect(conversation.received).toContainEqual(expect.objectContaining({ command: "/silence" })),
  );
  conversation.cut();
  await expect(unanswered).rejects.toMatchObject({
    code: "network",
    message: expect.stringContaining("connection was lost"),
  });
});

test("stop ends the running answer", async () => {
  conversation.script = () => ({ parts: [{ type: "text", text: "x".repeat(1000) }], pieceLength: 1, everyMs: 5 });
  const seen = connect();
  await seen.client.start();
  await seen.client.send({ text: "stop me" }).acknowledged;
  await eventually(() => expect(seen.view.running?.parts).toHaveLength(1));
  seen.client.stopTurn(seen.view.running?.turnId);
  await eventually(() => expect(seen.view.messages[1]?.status).toBe("stopped"));
  expect(seen.view.running).toBeNull();
});

test.each([
  [4001, /sign in/i],
  [4003, /withdrawn/],
  [4004, /deleted/],
  [4010, /protocol/],
])("close code %i is final and says why", async (code, reason) => {
  const seen = connect();
  await seen.client.start();
  await eventually(() => expect(seen.view.connection.state).toBe("open"));
  conversation.cut(code);
  await eventually(() => expect(seen.view.connection).toMatchObject({ state: "closed", code }));
  expect(seen.view.connection).toMatchObject({ reason: expect.stringMatching(reason) });
});

test("close code 4008 resumes", async () => {
  const seen = connect();
  await seen.client.start();
  await eventually(() => expect(seen.view.connection.state).toBe("open"));
  conversation.cut(4008);
  await eventually(() => expect(conversation.received.filter(({ type }) => type === "hello")).toHaveLength(2));
});

test("a refused upgrade is final when the server says that nobody is signed in", async () => {
  const seen = connect({ auth: { token: "wrong" }, checkAccess: async () => "unauthenticated" });
  await seen.client.start();
  await eventually(() => expect(seen.view.connection).toMatchObject({ state: "closed", code: 4001 }));
});

test("a refused upgrade is tried again while the server is only unreachable", async () => {
  const seen = connect({ auth: { token: "wrong" }, checkAccess: async () => "unreachable" });
  await seen.client.start();
  await eventually(() => expect(seen.view.connection).toMatchObject({ state: "waiting", attempt: 3 }));
});

test("what was read is reported while events flow", async () => {
  const seen = connect();
  await seen.client.start();
  await seen.client.send({ text: "report" }).acknowledged;
  await answered(seen);
  await eventually(() =>
    expect(conversation.received).toContainEqual({ type: "received", seq: conversation.log.length }),
  );
});

test("a server whose log was rebuilt shorter is read anew", async () => {
  const seen = connect();
  await seen.client.start();
  await seen.client.send({ text: "old" }).acknowledged;
  await answered(seen);
  conversation.log.length = 0;
  conversation.cut();
  await eventually(() => expect(seen.view.connection.state).toBe("open"));
  await eventually(() => expect(seen.view.messages).toEqual([]));
  await seen.client.send({ text: "new" }).acknowledged;
  await answered(seen);
  expect(texts(seen.view)).toEqual(["new", "You said: new"]);
});

test("without replay only what comes after the welcome is shown", async () => {
  conversation.store(randomUUID(), "before");
  await eventually(() => expect(conversation.log).toHaveLength(3));
  const seen = connect({ since: null });
  await seen.client.start();
  await seen.client.send({ text: "after" }).acknowledged;
  await answered(seen);
  expect([...seen.view.tree.values()].map(({ message }) => textOf(message.parts))).toEqual([
    "after",
    "You said: after",
  ]);
});

test("an unknown event keeps its place in the order and a storage that fails does not stop a message", async () => {
  const broken = { load: () => [], save: () => Promise.reject(new Error("full")), remove: () => {} };
  const seen = connect({ storage: broken });
  await seen.client.start();
  await eventually(() => expect(conversation.sockets.size).toBe(1));
  const [socket] = conversation.sockets;
  const event = { type: "from:the-future", anything: 1 };
  conversation.log.push({ seq: 1, at: "2026-11-21T00:00:00Z", event: { type: "title:changed", title: "known" } });
  socket?.send(JSON.stringify({ type: "event", seq: 1, at: "2026-11-21T00:00:00Z", event }));
  socket?.send(JSON.stringify({ type: "frame:from-the-future" }));
  socket?.send("not json");
  await seen.client.send({ text: "still here" }).acknowledged;
  await answered(seen);
  expect(conversation.received.filter(({ type }) => type === "hello")).toHaveLength(1);
});
