import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { v7 as newId } from "uuid";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { servicesFor } from "../../durable-objects/services-for.ts";
import type { Bindings } from "../../durable-objects/stubs.ts";
import { Problem } from "../../shared/contract/errors.ts";
import { SUBPROTOCOL } from "../../shared/contract/frames.ts";
import { modelBehaves } from "../../shared/testing/worker/conversations.ts";
import { databaseOutage } from "../../shared/testing/worker/database-outage.ts";
import { ownerSql } from "../../shared/testing/worker/people.ts";
import { TestSocket } from "../../shared/testing/worker/test-socket.ts";
import { routes } from "../../workers/routes/route-table.ts";
import { buildRequest, planFor, RECIPES } from "./plan.ts";
import {
  type Account,
  type Asked,
  anAccount,
  anApiKey,
  anotherSession,
  ask,
  fetchWorker,
  join,
  ORIGIN,
  removeFrom,
  signOut,
} from "./real-house.ts";

const database = databaseOutage();
const bindings = env as unknown as Bindings;
const stub = (id: string) => bindings.CONVERSATION.get(bindings.CONVERSATION.idFromName(id));
const WithId = z.object({ id: z.string() });

let alice: Account;
let bob: Account;
let teamId: string;
beforeAll(async () => {
  [alice, bob] = [await anAccount("alice"), await anAccount("bob")];
  const team = { method: "POST", body: { name: "Team" }, headers: alice.bearer };
  teamId = WithId.parse((await ask("/api/workspaces", team)).json).id;
  await join(alice, teamId, bob, "member");
});
afterAll(() => database.end());
afterEach(() => {
  database.set("up");
  vi.mocked(servicesFor(bindings).now).mockRestore?.();
});

type Headers = Record<string, string>;

async function aConversation(headers: Headers, body: object = {}): Promise<string> {
  const made = await ask("/api/conversations", { method: "POST", body, headers });
  return WithId.parse(made.json).id;
}

const proofsIn = (id: string): Promise<number> =>
  runInDurableObject(stub(id), (_object, { storage }) => storage.sql.exec("select 1 from proofs").toArray().length);

/** Signs in there once, and waits until the object has put that down. */
async function seenIn(id: string, headers: Headers): Promise<void> {
  const before = await proofsIn(id);
  expect((await ask(`/api/conversations/${id}`, { headers })).status).toBe(200);
  await expect.poll(() => proofsIn(id)).toBe(before + 1);
}

/** A conversation of alice's in which she has just been. */
async function lately(headers: Headers = alice.bearer, body: object = {}): Promise<string> {
  const id = await aConversation(headers, body);
  await expect.poll(() => proofsIn(id)).toBe(1);
  return id;
}

async function expectAway(response: Response, what: string): Promise<void> {
  const problem = Problem.parse(await response.json());
  expect([what, response.status, problem.code]).toEqual([what, 503, "database_unavailable"]);
  expect([what, response.headers.get("content-type"), problem.detail]).toEqual([
    what,
    "application/problem+json",
    expect.stringMatching(/^[A-Z].*\.$/),
  ]);
  expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
}

const get = (path: string, headers: Headers) => fetchWorker(path, { headers });

async function openSocket(id: string, headers: Headers): Promise<TestSocket> {
  const response = await get(`/api/conversations/${id}/socket`, {
    upgrade: "websocket",
    "sec-websocket-protocol": SUBPROTOCOL,
    ...headers,
  });
  if (!response.webSocket) throw new Error(`no socket: ${response.status} ${await response.text()}`);
  return new TestSocket(response.webSocket);
}

describe("with Postgres away", () => {
  it.each(["cookie", "bearer", "API key", "API key as bearer"])(
    "whoever came a moment ago goes on, by %s",
    async (by) => {
      const { key } = await anApiKey(alice);
      const credentials: Record<string, Headers> = {
        cookie: { cookie: alice.cookie, origin: ORIGIN },
        bearer: alice.bearer,
        "API key": { "x-api-key": key },
        "API key as bearer": { authorization: `Bearer ${key}` },
      };
      const headers = credentials[by] ?? {};
      const id = await lately(headers);
      database.set("gone");
      const path = `/api/conversations/${id}`;
      const sent = await fetchWorker(`${path}/messages`, { method: "POST", body: { text: "still there?" }, headers });
      expect(sent.status).toBe(202);
      const socket = await openSocket(id, headers);
      socket.hello(0);
      await socket.event("turn:completed");
      await socket.next("session:info", ({ storage }) => storage === "offline");
      for (const read of ["", "/messages", "/context", "/export"])
        expect([read, (await get(`${path}${read}`, headers)).status]).toEqual([read, 200]);
      socket.close();
    },
  );

  it("nobody else gets in, and nowhere else", async () => {
    const id = await lately(alice.bearer, { workspaceId: teamId });
    const elsewhere = await aConversation(alice.bearer);
    const second = await anotherSession(alice);
    await expect.poll(() => proofsIn(elsewhere)).toBe(1);
    await runInDurableObject(stub(elsewhere), (_object, { storage }) => storage.sql.exec("delete from proofs"));
    database.set("gone");
    expect((await get(`/api/conversations/${id}`, alice.bearer)).status).toBe(200);
    await expectAway(await get(`/api/conversations/${id}`, bob.bearer), "another person");
    await expectAway(await get(`/api/conversations/${id}`, second.bearer), "another session of hers");
    await expectAway(await get(`/api/conversations/${elsewhere}`, alice.bearer), "where she was not");
    await expectAway(await get(`/api/conversations/${newId()}`, alice.bearer), "where nothing is");
    // A session token is no API key.
    await expectAway(await get(`/api/conversations/${id}`, { "x-api-key": alice.token }), "the wrong header");
    expect((await get(`/api/conversations/${id}`, {})).status).toBe(401);
  });

  it("a sign-in is believed for ten minutes, and not after", async () => {
    const id = await lately();
    database.set("gone");
    const later = (minutes: number) =>
      vi.spyOn(servicesFor(bindings), "now").mockImplementation(() => new Date(Date.now() + minutes * 60_000));
    later(9.9);
    expect((await get(`/api/conversations/${id}`, alice.bearer)).status).toBe(200);
    later(10.1);
    await expectAway(await get(`/api/conversations/${id}`, alice.bearer), "ten minutes later");
    later(-2);
    await expectAway(await get(`/api/conversations/${id}`, alice.bearer), "before it was");
  });

  it("who is active on an open socket is believed as if they had just come", async () => {
    const session = await anotherSession(alice);
    const id = await lately(session.bearer);
    const provenAt = () =>
      runInDurableObject(stub(id), (_object, { storage }) =>
        Number(storage.sql.exec("select proven_at from proofs").one().proven_at),
      );
    const before = await provenAt();
    const socket = await openSocket(id, session.bearer);
    socket.hello();
    await socket.next("welcome");
    const time = (minutes: number) =>
      vi.spyOn(servicesFor(bindings), "now").mockImplementation(() => new Date(Date.now() + minutes * 60_000));
    time(9);
    socket.send({ type: "received", seq: 0 });
    await expect.poll(provenAt).toBeGreaterThan(before + 8 * 60_000);
    socket.close();
    database.set("gone");
    time(18);
    expect((await get(`/api/conversations/${id}`, session.bearer)).status).toBe(200);
    time(20);
    await expectAway(await get(`/api/conversations/${id}`, session.bearer), "ten minutes after the last word");
  });

  it("a sign-in that was revoked before is not believed", async () => {
    const session = await anotherSession(alice);
    const key = await anApiKey(alice);
    const id = await lately(session.bearer, { workspaceId: teamId });
    await ask(`/api/conversations/${id}`, {
      method: "PATCH",
      body: { visibility: "workspace" },
      headers: alice.bearer,
    });
    await expect.poll(() => proofsIn(id)).toBe(2);
    await seenIn(id, { "x-api-key": key.key });
    await seenIn(id, bob.bearer);
    await signOut(session);
    await ask("/api/auth/api-key/delete", { method: "POST", body: { keyId: key.id }, headers: alice.bearer });
    await removeFrom(alice, teamId, bob);
    expect(await proofsIn(id)).toBe(1);
    database.set("gone");
    const path = `/api/conversations/${id}`;
    await expectAway(await get(path, session.bearer), "signed out");
    await expectAway(await get(path, { "x-api-key": key.key }), "a deleted key");
    await expectAway(await get(path, bob.bearer), "a member who was removed");
    expect((await get(path, alice.bearer)).status).toBe(200);
  });

  it("a proof that was changed is not believed", async () => {
    const id = await lately();
    const original = await runInDurableObject(stub(id), (_object, { storage }) =>
      String(storage.sql.exec("select principal from proofs").one().principal),
    );
    const proof = JSON.parse(original);
    const changed = [
      { ...proof, userId: bob.id },
      { ...proof, workspaces: [...proof.workspaces, { id: teamId, role: "owner" }] },
      { ...proof, expiresAt: "2999-01-01T00:00:00.000Z" },
      { ...proof, proof: { ...proof.proof, provenAt: proof.proof.provenAt + 1 } },
      { ...proof, proof: { ...proof.proof, signature: "00".repeat(32) } },
      { ...proof, proof: { ...proof.proof, signature: "" } },
    ];
    database.set("gone");
    const keep = (text: string) =>
      runInDurableObject(stub(id), (_object, { storage }) => storage.sql.exec("update proofs set principal = ?", text));
    for (const each of changed) {
      await keep(JSON.stringify(each));
      await expectAway(await get(`/api/conversations/${id}`, alice.bearer), JSON.stringify(each));
    }
    await keep(original);
    expect((await get(`/api/conversations/${id}`, alice.bearer)).status).toBe(200);
  });

  it.each(["gone", "hung"] as const)("every endpoint answers soon: it works, or says 503 (%s)", async (mood) => {
    const id = await lately();
    const sent = { method: "POST", body: { text: "hello" }, headers: alice.bearer };
    const { messageId } = z
      .object({ messageId: z.string() })
      .parse((await ask(`/api/conversations/${id}/messages`, sent)).json);
    database.set(mood);
    const asked = planFor(routes, RECIPES)
      .filter(({ foreign }) => foreign.length <= 1)
      .map((each) => {
        const own = { ...each, foreign: [] };
        return {
          label: each.label,
          ...buildRequest(own, (place) =>
            place.of === "message" ? messageId : place.of === "conversation" ? id : newId(),
          ),
        };
      });
    const answers = await Promise.all(
      asked.map(async ({ label, path, ...request }) => {
        const began = Date.now();
        const response = await fetchWorker(path, { ...request, headers: { ...request.headers, ...alice.bearer } });
        const tookMs = Date.now() - began;
        response.webSocket?.accept();
        const isPage = response.headers.get("content-type")?.startsWith("text/html");
        if (isPage) expect([label, await response.text()]).toEqual([label, expect.stringContaining("database")]);
        else if (response.status === 503 && !path.startsWith("/health/")) await expectAway(response, label);
        else await response.body?.cancel();
        return { label, status: response.status, soon: tookMs < 3_500 };
      }),
    );
    expect(answers.filter(({ status, soon }) => !soon || (status >= 500 && status !== 503))).toEqual([]);
    const worked = answers.filter(({ status }) => status < 400).map(({ label }) => label.split(" ")[0]);
    for (const operation of [
      "getConversation",
      "listMessages",
      "getContext",
      "exportConversation",
      "createTicket",
      "openSocket",
      "sendMessage",
      "stopTurn",
      "streamEvents",
    ])
      expect(worked).toContain(operation);
    for (const operation of [
      "getMe",
      "listModels",
      "refreshModels",
      "listProviders",
      "createProvider",
      "listProviderHealth",
      "getProvider",
      "updateProvider",
      "deleteProvider",
      "testProvider",
      "startLogin",
      "getLogin",
      "listConnectors",
      "createConnector",
      "deleteConnector",
      "listConversations",
      "createConversation",
      "updateConversation",
      "deleteConversation",
      "forkConversation",
    ])
      expect(worked).not.toContain(operation);
  });

  it.each(["gone", "hung"] as const)("sign-in itself says so soon (%s)", async (mood) => {
    database.set(mood);
    const began = Date.now();
    const body = { email: alice.email, password: alice.password };
    const response = await fetchWorker("/api/auth/sign-in/email", { method: "POST", body });
    expect([response.status, await response.json()]).toMatchObject([503, { code: "database_unavailable" }]);
    expect(Date.now() - began).toBeLessThan(3_500);
  });

  it("who opens a socket is written down when it is back, and closed where the sign-in has ended by then", async () => {
    const session = await anotherSession(alice);
    const id = await lately(alice.bearer);
    await seenIn(id, session.bearer);
    database.set("gone");
    const [stays, goes] = [await openSocket(id, alice.bearer), await openSocket(id, session.bearer)];
    stays.hello(0);
    goes.hello(0);
    await Promise.all([stays.next("welcome"), goes.next("welcome")]);
    const waiting = () =>
      runInDurableObject(
        stub(id),
        (_object, { storage }) => storage.sql.exec("select 1 from unrecorded").toArray().length,
      );
    expect(await waiting()).toBe(2);
    database.set("up");
    // As if the sign-out had come from where nobody could tell the object.
    await ownerSql()`delete from auth.session where token = ${session.token}`;
    await runInDurableObject(stub(id), (_object, { storage }) => {
      storage.sql.exec("update alarms set at = 0");
    });
    await runDurableObjectAlarm(stub(id));
    expect(await goes.untilClosed()).toMatchObject({ code: 4003 });
    await expect.poll(waiting).toBe(0);
    expect(stays.closed).toBeNull();
    stays.close();
  });
});

describe("an Idempotency-Key of a message", () => {
  const post = (id: string, body: object, key: string, headers: Headers = {}): Promise<Response> =>
    fetchWorker(`/api/conversations/${id}/messages`, {
      method: "POST",
      body,
      headers: { ...alice.bearer, "idempotency-key": key, ...headers },
    } satisfies Asked);
  const stream = { accept: "text/event-stream" };
  const Ack = z.object({ type: z.literal("ack"), id: z.string() });

  const framesOf = async (response: Response): Promise<z.infer<typeof Frame>[]> =>
    (await response.text())
      .split("\n")
      .flatMap((line) => (line.startsWith("data: ") ? [Frame.parse(JSON.parse(line.slice(6)))] : []));
  const Frame = z.looseObject({ type: z.string(), event: z.looseObject({ type: z.string() }).optional() });
  const typesOf = (frames: z.infer<typeof Frame>[]) => frames.flatMap(({ event }) => event?.type ?? []);

  it.each(["up", "gone"] as const)("stands for one message, one answer and one stream (%s)", async (mood) => {
    const id = await lately();
    database.set(mood);
    const key = `order 7 of ${mood}`.replaceAll(" ", "-");
    const first = await framesOf(await post(id, { text: "once" }, key, stream));
    const again = await framesOf(await post(id, { text: "once" }, key, stream));
    expect(Ack.parse(again[0])).toEqual(Ack.parse(first[0]));
    expect(typesOf(again)).toEqual(typesOf(first).filter((type) => type !== "title:changed"));
    expect(typesOf(again).at(-1)).toBe("turn:completed");
    const json = await (await post(id, { text: "once" }, key)).json();
    expect(json).toMatchObject({ messageId: Ack.parse(first[0]).id, seq: 1, state: "started" });
    const other = await post(id, { text: "other" }, key);
    expect([other.status, await other.json()]).toMatchObject([409, { code: "idempotency_conflict" }]);
    const named = await post(id, { id: newId(), text: "once" }, key, stream);
    expect([named.status, await named.json()]).toMatchObject([409, { code: "idempotency_conflict" }]);
    const listed = await get(`/api/conversations/${id}/messages`, alice.bearer);
    expect(z.object({ items: z.array(z.unknown()) }).parse(await listed.json()).items).toHaveLength(2);
  });

  it("of a message that found an answer running and was to be rejected stands for nothing yet", async () => {
    const id = await lately();
    await modelBehaves({ tokens: 200, delayMs: 20 });
    expect((await post(id, { text: "a long story" }, newId())).status).toBe(202);
    const rejected = await post(id, { text: "hurry", whenBusy: "reject" }, "hurry");
    expect([rejected.status, await rejected.json()]).toMatchObject([409, { code: "busy" }]);
    const listed = await (await get(`/api/conversations/${id}/messages`, alice.bearer)).text();
    expect(listed).not.toContain("hurry");
    await fetchWorker(`/api/conversations/${id}/stop`, { method: "POST", body: {}, headers: alice.bearer });
    let again = await post(id, { text: "hurry", whenBusy: "reject" }, "hurry");
    while (again.status === 409) again = await post(id, { text: "hurry", whenBusy: "reject" }, "hurry");
    expect(again.status).toBe(202);
  });

  it("of another user, or of an edit, is another key", async () => {
    const id = await lately();
    const key = newId();
    const { messageId } = z
      .object({ messageId: z.string() })
      .parse(await (await post(id, { text: "first" }, key)).json());
    expect(messageId).toBe(key);
    await expect.poll(async () => (await get(`/api/conversations/${id}/context`, alice.bearer)).status).toBe(200);
    const edit = (text: string) =>
      fetchWorker(`/api/conversations/${id}/messages/${messageId}`, {
        method: "PATCH",
        body: { text },
        headers: { ...alice.bearer, "idempotency-key": key },
      });
    let edited = await edit("second");
    while (edited.status === 409) edited = await edit("second"); // the first answer is still being written
    expect(edited.status).toBe(200);
    const sibling = WithId.parse(await edited.json()).id;
    expect(WithId.parse(await (await edit("second")).json()).id).toBe(sibling);
    expect((await edit("third")).status).toBe(409);
  });
});

describe("a creating write that was cut off", () => {
  it.each(["POST /api/conversations", "POST /api/conversations/{id}/fork", "POST /api/workspaces"])(
    "and is repeated with its key makes one thing: %s",
    async (which) => {
      const source = await aConversation(alice.bearer);
      const said = { method: "POST", body: { text: "hello" }, headers: alice.bearer };
      const message = z
        .object({ messageId: z.string() })
        .parse((await ask(`/api/conversations/${source}/messages`, said)).json);
      const bodies = { conversations: { title: "once" }, fork: message, workspaces: { name: "Once" } };
      const path = which.slice("POST ".length).replace("{id}", source);
      const body = path.endsWith("/fork")
        ? bodies.fork
        : path.endsWith("/workspaces")
          ? bodies.workspaces
          : bodies.conversations;
      const post = () =>
        ask(path, {
          method: "POST",
          body,
          headers: { ...alice.bearer, "idempotency-key": which.replaceAll(" ", "-") },
        });
      const { idempotency } = servicesFor(bindings);
      // The Worker ends between what it made and the note that it was made.
      const finish = vi.spyOn(idempotency, "finish").mockImplementation(async () => {});
      const first = await post();
      finish.mockRestore();
      const again = await post();
      expect([first.status, again.status]).toEqual([201, 201]);
      expect(WithId.parse(again.json).id).toBe(WithId.parse(first.json).id);
      const replayed = await post();
      expect([replayed.headers.get("idempotency-replayed"), replayed.json]).toEqual(["true", again.json]);
    },
  );
});
