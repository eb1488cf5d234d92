import { describe, expect, test, vi } from "vitest";
import * as z from "zod";
import { ConversationExport } from "../../shared/contract/conversation.ts";
import { Provider } from "../../shared/contract/provider.ts";
import { BUILT_IN_IDS } from "../../shared/domain/providers/provider-record.ts";
import { OBJECT_HEADERS } from "../../shared/ports/conversation-object.ts";
import { memoryEdge, problemIn } from "../testing/memory-edge.ts";
import { MemoryObject } from "../testing/memory-object.ts";
import { PEOPLE, PUBLIC_URL } from "../testing/memory-services.ts";
import { messageIdFrom } from "./messages/message-id.ts";

const UUID = "0190aaaa-0000-7000-8000-00000000abcd";
const WithId = z.looseObject({ id: z.string() });

describe("conversations", () => {
  test("are born with defaults in the personal workspace, and can be read at once", async () => {
    const { ask } = memoryEdge();
    const created = await ask("/api/conversations", { method: "POST" });
    expect(created.status).toBe(201);
    expect(created.headers.get("etag")).toBe('"1"');
    const conversation = WithId.parse(await created.json());
    expect(conversation).toMatchObject({ title: "New conversation", workspaceId: PEOPLE.alice.workspace.id });
    const read = await ask(`/api/conversations/${conversation.id}`);
    expect([read.headers.get("etag"), await read.json()]).toEqual(['"1"', conversation]);
  });

  test("do not enter someone else's workspace, in the body or in the query", async () => {
    const { ask, rows } = memoryEdge();
    const workspaceId = PEOPLE.bob.workspace.id;
    expect((await ask("/api/conversations", { method: "POST", body: { workspaceId } })).status).toBe(404);
    expect((await ask(`/api/conversations?workspaceId=${workspaceId}`)).status).toBe(404);
    expect(rows.size).toBe(0);
  });

  test("leave no row behind when their object cannot be born", async () => {
    const { ask, rows, object } = memoryEdge({ newId: () => UUID });
    vi.spyOn(console, "error").mockImplementation(() => {});
    object(UUID).create = () => Promise.reject(new Error("the object is gone"));
    expect((await ask("/api/conversations", { method: "POST", body: {} })).status).toBe(500);
    expect(rows.size).toBe(0);
  });

  test("keep names in any script, and lose NUL and lone surrogates", async () => {
    const { ask } = memoryEdge();
    const title = "Привет 你好 👩‍👩‍👧 مرحبا";
    const kept = await ask("/api/conversations", { method: "POST", body: { title } });
    expect(await kept.json()).toMatchObject({ title });
    const cleaned = await ask("/api/conversations", { method: "POST", body: '{"title":"a\\u0000b\\ud800c"}' });
    expect(await cleaned.json()).toMatchObject({ title: "ab\ufffdc" });
  });

  test("change only in the version that `If-Match` names", async () => {
    const { ask, create } = memoryEdge();
    const path = `/api/conversations/${await create()}`;
    const rename = (title: string, headers = {}) => ask(path, { method: "PATCH", body: { title }, headers });
    const first = await rename("One", { "if-match": '"1"' });
    expect([first.status, first.headers.get("etag")]).toEqual([200, '"2"']);
    expect(await problemIn(await rename("Two", { "if-match": '"1"' }))).toMatchObject({
      status: 409,
      code: "version_conflict",
    });
    expect((await rename("Three", { "if-match": "*" })).status).toBe(200);
    const bad = await problemIn(await rename("Four", { "if-match": "one" }));
    expect(bad).toMatchObject({ status: 400, errors: [{ path: "If-Match" }] });
  });

  test("are listed in pages that end", async () => {
    const { ask, create } = memoryEdge();
    for (let count = 0; count < 3; count += 1) await create();
    const Page = z.object({ items: z.array(WithId), nextCursor: z.string().nullable() });
    const first = Page.parse(await (await ask("/api/conversations?limit=2")).json());
    const second = Page.parse(await (await ask(`/api/conversations?limit=2&cursor=${first.nextCursor}`)).json());
    expect([first.items.length, second.items.length, second.nextCursor]).toEqual([2, 1, null]);
  });

  test("are gone after DELETE, and for everyone else they never were", async () => {
    const { ask, create } = memoryEdge();
    const path = `/api/conversations/${await create()}`;
    expect((await ask(path, { method: "DELETE", as: "bob" })).status).toBe(404);
    expect((await ask(path, { method: "DELETE" })).status).toBe(204);
    expect((await ask(path)).status).toBe(404);
  });

  test("export as JSON and as Markdown, under their own name", async () => {
    const { ask } = memoryEdge();
    const { id } = WithId.parse(
      await (await ask("/api/conversations", { method: "POST", body: { title: 'Käse "1/2"' } })).json(),
    );
    await ask(`/api/conversations/${id}/messages`, { method: "POST", body: { text: "Hallo" } });
    const json = await ask(`/api/conversations/${id}/export`);
    expect(ConversationExport.parse(await json.json()).messages).toHaveLength(1);
    const markdown = await ask(`/api/conversations/${id}/export?format=markdown`);
    expect(markdown.headers.get("content-type")).toContain("text/markdown");
    expect(markdown.headers.get("content-disposition")).toContain("filename*=UTF-8''K%C3%A4se%201%202.md");
    expect(await markdown.text()).toContain("Hallo");
  });

  test("fork through a message of theirs only", async () => {
    const { ask, create } = memoryEdge();
    const id = await create();
    await ask(`/api/conversations/${id}/messages`, { method: "POST", body: { id: UUID, text: "Hi" } });
    const fork = (messageId: string) => ask(`/api/conversations/${id}/fork`, { method: "POST", body: { messageId } });
    expect(await (await fork(UUID)).json()).toMatchObject({ title: "New conversation (fork)" });
    expect((await fork(PEOPLE.bob.id)).status).toBe(404);
  });
});

describe("Idempotency-Key", () => {
  const post = (edge: ReturnType<typeof memoryEdge>, key: string, body: unknown) =>
    edge.ask("/api/conversations", { method: "POST", body, headers: { "idempotency-key": key } });

  test("answers the first result again for the same body, whatever the order of its fields", async () => {
    const edge = memoryEdge();
    const first = await post(edge, "k1", { title: "A", model: "opus" });
    const again = await post(edge, "k1", { model: "opus", title: "A" });
    expect([again.status, again.headers.get("etag"), again.headers.get("idempotency-replayed")]).toEqual([
      201,
      '"1"',
      "true",
    ]);
    expect(await again.json()).toEqual(await first.json());
    expect(edge.rows.size).toBe(1);
  });

  test("a first try that fails late does not take away what a repetition at the same time has made", async () => {
    const edge = memoryEdge();
    const create = vi.spyOn(MemoryObject.prototype, "create").mockImplementationOnce(async () => {
      expect((await post(edge, "k1", { title: "A" })).status).toBe(201);
      throw new Error("the answer was lost");
    });
    expect((await post(edge, "k1", { title: "A" })).status).toBe(500);
    expect([create.mock.calls.length, edge.rows.size]).toEqual([2, 1]);
    create.mockImplementationOnce(async () => {
      throw new Error("never born");
    });
    expect((await post(edge, "k2", { title: "B" })).status).toBe(500);
    expect(edge.rows.size).toBe(1);
    create.mockRestore();
  });

  test("refuses another body, and knows each caller's keys apart", async () => {
    const edge = memoryEdge();
    await post(edge, "k1", { title: "A" });
    expect(await problemIn(await post(edge, "k1", { title: "B" }))).toMatchObject({
      status: 409,
      code: "idempotency_conflict",
    });
    const other = await edge.ask("/api/conversations", {
      method: "POST",
      body: { title: "B" },
      as: "bob",
      headers: { "idempotency-key": "k1" },
    });
    expect(other.status).toBe(201);
  });

  test("is given back after a failure, so that a retry runs", async () => {
    const edge = memoryEdge();
    expect((await post(edge, "k1", { workspaceId: PEOPLE.bob.workspace.id })).status).toBe(404);
    expect((await post(edge, "k1", { title: "A" })).status).toBe(201);
  });

  test("makes the same thing again where the first try was cut off", async () => {
    const made: string[] = [];
    const { ask } = memoryEdge({
      idempotency: { begin: async () => ({ state: "running" }), finish: async () => {}, abandon: async () => {} },
    });
    const post = async (key: string, name: string, as = "alice"): Promise<void> => {
      const headers = { "idempotency-key": key };
      const response = await ask("/api/workspaces", { method: "POST", body: { name }, headers, as });
      made.push(WithId.parse(await response.json()).id);
    };
    await post("k", "W");
    await post("k", "W");
    for (const [key, name, as] of [
      ["k", "V"],
      ["l", "W"],
      ["k", "W", "bob"],
    ] as const)
      await post(key, name, as);
    expect(made[1]).toBe(made[0]);
    expect(new Set(made).size).toBe(4);
  });

  test("makes the id of a message that has none: a UUID as it is, anything else always the same", async () => {
    const { ask, create } = memoryEdge();
    const path = `/api/conversations/${await create()}/messages`;
    const send = async (key: string, text: string) =>
      await ask(path, { method: "POST", body: { text }, headers: { "idempotency-key": key } });
    expect(await (await send(UUID.toUpperCase(), "a")).json()).toMatchObject({ messageId: UUID, seq: 1 });
    const [first, again] = [await send("order-7", "b"), await send("order-7", "b")];
    expect(await again.json()).toEqual(await first.json());
    expect(await problemIn(await send("order-7", "c"))).toMatchObject({ code: "idempotency_conflict" });
  });

  test("stands for one body also where the message named its id, and goes along with a stream", async () => {
    const { ask, create, object } = memoryEdge();
    const id = await create();
    const send = (text: string, headers = {}) =>
      ask(`/api/conversations/${id}/messages`, {
        method: "POST",
        body: { id: UUID, text },
        headers: { "idempotency-key": "k", ...headers },
      });
    expect((await send("a")).status).toBe(202);
    expect((await send("b")).status).toBe(409);
    await send("a", { accept: "text/event-stream" });
    const once = JSON.parse(object(id).lastRequest?.headers.get(OBJECT_HEADERS.once) ?? "null");
    expect(once).toEqual({
      key: `POST /api/conversations/${id}/messages k`,
      fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  test("of a message that was rejected stands for nothing", async () => {
    const { ask, create, object } = memoryEdge();
    const id = await create();
    const send = (text: string) =>
      ask(`/api/conversations/${id}/messages`, { method: "POST", body: { text }, headers: { "idempotency-key": "k" } });
    object(id).busy = true;
    expect((await send("a")).status).toBe(409);
    object(id).busy = false;
    expect((await send("b")).status).toBe(202);
  });

  test("gives the same message in different conversations, or of different people, different ids", () => {
    const id = (conversation: string, user = "me") => messageIdFrom(conversation, user, "key", () => "new");
    expect(id("a")).not.toBe(id("b"));
    expect(id("a")).not.toBe(id("a", "you"));
    expect(id("00000000-0000-0000-0000-0000000000ff")).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5/);
  });
});

describe("messages", () => {
  test("are accepted with 202, and rejected with 409 while busy", async () => {
    const { ask, create, object } = memoryEdge();
    const id = await create();
    const send = (body: unknown) => ask(`/api/conversations/${id}/messages`, { method: "POST", body });
    const accepted = await send({ text: "Hi" });
    expect([accepted.status, await accepted.json()]).toMatchObject([202, { seq: 1, state: "started", turnId: null }]);
    object(id).busy = true;
    expect(await problemIn(await send({ text: "Hi", whenBusy: "reject" }))).toMatchObject({
      status: 409,
      code: "busy",
      retryable: true,
    });
  });

  test("stream when asked to, with the id that a retry would have", async () => {
    const { ask, create, object } = memoryEdge();
    const id = await create();
    const response = await ask(`/api/conversations/${id}/messages`, {
      method: "POST",
      body: { text: "Hi" },
      headers: { accept: "text/event-stream", "idempotency-key": UUID },
    });
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    expect(response.headers.has("x-request-id")).toBe(true);
    expect(await response.text()).toContain(UUID);
    expect(object(id).lastRequest?.headers.has("authorization")).toBe(false);
  });

  test("are edited and deleted by id, and an unknown id is 404", async () => {
    const { ask, create } = memoryEdge();
    const path = `/api/conversations/${await create()}/messages`;
    await ask(path, { method: "POST", body: { id: UUID, text: "Hi" } });
    expect((await ask(`${path}/${UUID}`, { method: "PATCH", body: { text: "Ho" } })).status).toBe(200);
    expect((await ask(`${path}/${UUID}`, { method: "DELETE" })).status).toBe(204);
    expect((await ask(`${path}/${PEOPLE.bob.id}`, { method: "DELETE" })).status).toBe(404);
  });
});

describe("events", () => {
  test("resume after `Last-Event-ID` before `after`, as a reconnecting browser means it", async () => {
    const { ask, create, object } = memoryEdge();
    const id = await create();
    await ask(`/api/conversations/${id}/events?after=3`, { headers: { "last-event-id": "7" } });
    expect(object(id).lastRequest?.url).toBe("https://conversation/events?after=7");
    const bad = await ask(`/api/conversations/${id}/events`, { headers: { "last-event-id": "seven" } });
    expect(await problemIn(bad)).toMatchObject({ status: 400, errors: [{ path: "Last-Event-ID" }] });
    expect((await ask(`/api/conversations/${id}/events?after=-1`)).status).toBe(400);
  });

  test("asked for with HEAD leave no stream open", async () => {
    const { ask, create, object } = memoryEdge();
    const id = await create();
    const closed = vi.fn();
    object(id).fetch = async () => new Response(new ReadableStream({ cancel: closed }));
    expect((await ask(`/api/conversations/${id}/events`, { method: "HEAD" })).status).toBe(200);
    expect(closed).toHaveBeenCalledOnce();
  });

  test("of a conversation that is not there are a 404 problem, not a stream", async () => {
    expect(await problemIn(await memoryEdge().ask(`/api/conversations/${UUID}/events`))).toMatchObject({ status: 404 });
  });
});

describe("the socket", () => {
  test("opens with its subprotocol, carries frames, and names the request", async () => {
    const { ask, create } = memoryEdge();
    const response = await ask(`/api/conversations/${await create()}/socket`, {
      headers: { upgrade: "websocket", "sec-websocket-protocol": "mosaic.v1" },
    });
    expect(response.status).toBe(101);
    expect(response.headers.get("sec-websocket-protocol")).toBe("mosaic.v1");
    expect(response.headers.has("x-request-id")).toBe(true);
    const socket = response.webSocket;
    if (!socket) throw new Error("there is no socket");
    socket.accept();
    const echoed = new Promise((resolve) => socket.addEventListener("message", ({ data }) => resolve(data)));
    socket.send("hello");
    expect(await echoed).toBe("echo hello");
    socket.close();
  });

  test("believes no proof that comes from outside, and passes no credential on", async () => {
    const { ask, create, object } = memoryEdge();
    const id = await create();
    const forged = JSON.stringify({ by: "principal", principal: { userId: PEOPLE.bob.id } });
    await ask(`/api/conversations/${id}/socket`, {
      headers: {
        upgrade: "websocket",
        cookie: "session=alice",
        [OBJECT_HEADERS.principal]: forged,
        [OBJECT_HEADERS.request]: "forged",
      },
    });
    const headers = object(id).lastRequest?.headers ?? new Headers();
    expect(JSON.parse(headers.get(OBJECT_HEADERS.principal) ?? "")).toMatchObject({
      by: "principal",
      principal: { userId: PEOPLE.alice.id, name: "Ålice 🎈" },
    });
    expect(headers.get(OBJECT_HEADERS.request)).not.toBe("forged");
    expect([headers.has("authorization"), headers.has("cookie")]).toEqual([false, false]);
  });

  test("takes a ticket instead of a sign-in, with the page's origin", async () => {
    const { ask, create, object } = memoryEdge();
    const id = await create();
    const made = await ask(`/api/conversations/${id}/tickets`, { method: "POST", headers: { origin: PUBLIC_URL } });
    const { ticket } = z.object({ ticket: z.string() }).parse(await made.json());
    expect(made.status).toBe(201);
    await ask(`/api/conversations/${id}/socket?ticket=${encodeURIComponent(ticket)}`, {
      as: null,
      headers: { upgrade: "websocket", origin: PUBLIC_URL },
    });
    expect(JSON.parse(object(id).lastRequest?.headers.get(OBJECT_HEADERS.principal) ?? "")).toEqual({
      by: "ticket",
      ticket,
      origin: PUBLIC_URL,
    });
  });

  test("says what it is to who comes without an upgrade, and nothing to strangers", async () => {
    const { ask, create } = memoryEdge();
    const path = `/api/conversations/${await create()}/socket`;
    const problem = await problemIn(await ask(path));
    expect(problem.status).toBe(400);
    expect(problem.detail).toContain("WebSocket");
    expect((await ask(path, { as: null })).status).toBe(401);
    expect((await ask(`/api/conversations/${UUID}/socket`, { headers: { upgrade: "websocket" } })).status).toBe(404);
  });
});

describe("the account", () => {
  test("says where each effective setting comes from", async () => {
    const { ask } = memoryEdge();
    expect(await (await ask("/api/me")).json()).toMatchObject({
      settings: { defaultModel: { value: "claude-opus-4-6", from: "system" } },
    });
    await ask(`/api/workspaces/${PEOPLE.alice.workspace.id}/settings`, {
      method: "PATCH",
      body: { defaultModel: "opus" },
    });
    expect(await (await ask("/api/me")).json()).toMatchObject({
      user: { id: PEOPLE.alice.id, isInstanceAdmin: false },
      defaultWorkspaceId: PEOPLE.alice.workspace.id,
      settings: { defaultModel: { value: "opus", from: "workspace" } },
    });
  });

  test("exports the providers and machines it made, without a secret", async () => {
    const { ask } = memoryEdge();
    const secrets = { apiKey: "sk-canary-0123456789", header: "canary header value" };
    for (const as of ["alice", "bob"]) {
      const config = { baseUrl: "https://api.anthropic.com", headers: { "X-Key": secrets.header } };
      const body = { kind: "anthropic", displayName: as, config, credential: { apiKey: secrets.apiKey } };
      expect((await ask("/api/providers", { method: "POST", body, as })).status).toBe(201);
      expect((await ask("/api/connectors", { method: "POST", body: { name: `${as}-box` }, as })).status).toBe(201);
    }
    const text = await (await ask("/api/me/export")).text();
    const named = z.object({
      providers: z.array(Provider.omit({ health: true })),
      connectors: z.array(z.object({ name: z.string() })),
    });
    const { providers, connectors } = named.parse(JSON.parse(text));
    expect(providers).toMatchObject([{ displayName: "alice", credential: { configured: true, hint: "…6789" } }]);
    expect(connectors).toEqual([{ name: "alice-box" }]);
    expect(text).not.toMatch(/canary|v1\.|bob/);
  });

  test("exports all its own conversations as one document", async () => {
    const { ask, create } = memoryEdge();
    await create("bob");
    for (let count = 0; count < 3; count += 1) await create();
    const document = z.object({ format: z.literal("mosaic.account.v1"), conversations: z.array(ConversationExport) });
    const { conversations } = document.parse(await (await ask("/api/me/export")).json());
    expect(conversations).toHaveLength(3);
    expect(new Set(conversations.map(({ conversation }) => conversation.ownerUserId))).toEqual(
      new Set([PEOPLE.alice.id]),
    );
  });

  test("ends with everything it owns, and with nothing else", async () => {
    const { ask, create, rows, deletedUsers } = memoryEdge();
    await create("bob");
    for (let count = 0; count < 150; count += 1) await create();
    expect((await ask("/api/me", { method: "DELETE" })).status).toBe(204);
    expect([...rows.values()].map(({ ownerUserId }) => ownerUserId)).toEqual([PEOPLE.bob.id]);
    expect(deletedUsers).toEqual([PEOPLE.alice.id]);
  });
});

describe("workspaces", () => {
  test("keep versioned settings that only members see", async () => {
    const { ask } = memoryEdge();
    const path = `/api/workspaces/${PEOPLE.alice.workspace.id}/settings`;
    expect((await ask(path)).headers.get("etag")).toBe('"1"');
    const change = (headers = {}) => ask(path, { method: "PATCH", body: { defaultModel: "opus" }, headers });
    expect((await change({ "if-match": '"1"' })).headers.get("etag")).toBe('"2"');
    expect((await change({ "if-match": '"1"' })).status).toBe(409);
    expect((await ask(path, { as: "bob" })).status).toBe(404);
    expect((await ask(path, { as: "bob", method: "PATCH", body: { defaultModel: "x" } })).status).toBe(404);
  });

  test("take as a default only what they can use, and tell the nearest names", async () => {
    const { ask } = memoryEdge();
    const path = `/api/workspaces/${PEOPLE.alice.workspace.id}/settings`;
    const change = (body: object) => ask(path, { method: "PATCH", body });
    const model = await problemIn(await change({ defaultModel: "claude-opsu-4-6" }));
    expect(model).toMatchObject({ status: 400, code: "invalid_request", errors: [{ path: "defaultModel" }] });
    expect(model.detail).toContain("claude-opus-4-6");
    const provider = await problemIn(await change({ defaultProviderId: PEOPLE.bob.id }));
    expect(provider).toMatchObject({ status: 400, errors: [{ path: "defaultProviderId" }] });
    expect(provider.detail).toContain(`Anthropic (${BUILT_IN_IDS.anthropic})`);
    expect((await change({ defaultProviderId: BUILT_IN_IDS.anthropic, defaultModel: "opus" })).status).toBe(200);
    expect((await change({ defaultProviderId: null, defaultModel: null })).status).toBe(200);
  });
});
