import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { v7 as newId } from "uuid";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { COMMANDS } from "../../shared/contract/commands.ts";
import { CLOSE, ClientFrame, type ClientFrameInput } from "../../shared/contract/frames.ts";
import { ownerSql } from "../../shared/testing/worker/people.ts";
import type { TestSocket } from "../../shared/testing/worker/test-socket.ts";
import {
  type Account,
  type Answer,
  anAccount,
  anApiKey,
  anotherSession,
  ask,
  connect,
  EVIL_ORIGIN,
  expectNoSecretTold,
  fetchWorker,
  join,
  ORIGIN,
  removeFrom,
  signOut,
  upgrade,
} from "./real-house.ts";
import { aConversation, aVictim, everythingOf, type Marked, settled, type Victim } from "./victim.ts";

vi.setConfig({ testTimeout: 30_000 });

const Ticket = z.object({ ticket: z.string() });
const Problem = z.object({ code: z.string(), status: z.int() });

let victim: Victim;
let stranger: Account;
let own: Marked;
let viewer: Account;
beforeAll(async () => {
  victim = await aVictim();
  stranger = await anAccount("stranger");
  own = await aConversation(stranger, stranger.personalWorkspaceId, "own");
  viewer = await aTeammate("viewer");
}, 60_000);
afterAll(expectNoSecretTold);

async function aTeammate(role: string): Promise<Account> {
  const account = await anAccount(role);
  await join(victim.account, victim.teamId, account, role);
  return account;
}

const markers = () => [victim.personal.marker, victim.privateInTeam.marker, victim.shared.marker, victim.teamMarker];

async function ticketFor(headers: Record<string, string>, conversationId: string, origin = ORIGIN): Promise<string> {
  const made = await ask(`/api/conversations/${conversationId}/tickets`, {
    method: "POST",
    headers: { ...headers, origin },
  });
  expect(made.status).toBe(201);
  return Ticket.parse(made.json).ticket;
}

function expectRefused(answer: Answer, status: number, label = ""): void {
  const problem = Problem.safeParse(answer.json).data;
  expect([label, answer.status, problem?.status, answer.headers.get("content-type")]).toEqual([
    label,
    status,
    status,
    "application/problem+json",
  ]);
  for (const marker of markers()) expect(answer.text).not.toContain(marker);
}

async function greeted(headers: Record<string, string>, conversationId: string): Promise<TestSocket> {
  const socket = await connect(conversationId, { headers });
  socket.hello(0);
  await socket.next("welcome");
  return socket;
}

describe("the upgrade", () => {
  it("is refused with 401 to those without a sign-in that holds", async () => {
    const [expired, revoked] = [await anotherSession(victim.account), await anotherSession(victim.account)];
    await ownerSql()`update auth.session set expires_at = now() - interval '1 second' where token = ${expired.token}`;
    await signOut(revoked);
    const nobodies: Record<string, Record<string, string>> = {
      anonymous: {},
      "expired bearer": expired.bearer,
      "expired cookie": { cookie: expired.cookie, origin: ORIGIN },
      "revoked bearer": revoked.bearer,
      "revoked cookie": { cookie: revoked.cookie, origin: ORIGIN },
      nonsense: { authorization: "Bearer nonsense" },
    };
    for (const [name, headers] of Object.entries(nobodies))
      for (const { id } of [victim.personal, victim.shared, { id: newId() }])
        expectRefused(await upgrade(id, { headers }), 401, name);
  });

  it("is refused with 404 to those whose conversation it is not, and for ids that name nothing", async () => {
    for (const { id } of [victim.personal, victim.privateInTeam, victim.shared, { id: newId() }])
      expectRefused(await upgrade(id, { headers: stranger.bearer }), 404, id);
    for (const { id } of [victim.personal, victim.privateInTeam])
      expectRefused(await upgrade(id, { headers: viewer.bearer }), 404, id);
    expectRefused(await upgrade("no-uuid", { headers: stranger.bearer }), 404);
  });

  it("with a cookie counts only from the instance's own pages", async () => {
    const { cookie } = victim.account;
    for (const origin of [undefined, EVIL_ORIGIN, "null", `${ORIGIN}.evil.example`, "http://localhost:8788"]) {
      const headers = { cookie, ...(origin === undefined ? {} : { origin }) };
      expectRefused(await upgrade(victim.personal.id, { headers }), 403, origin ?? "none");
    }
    const mine = await connect(victim.personal.id, { headers: { cookie, origin: ORIGIN } });
    mine.close();
  });

  it("believes no proof that comes from outside", async () => {
    const principal = {
      userId: victim.account.id,
      name: "alice",
      credentialId: newId(),
      credential: "session",
      workspaces: [{ id: victim.teamId, role: "owner" }],
      isInstanceAdmin: true,
      expiresAt: "2999-01-01T00:00:00.000Z",
    };
    const forged = {
      "x-mosaic-principal": JSON.stringify({ by: "principal", principal }),
      "x-mosaic-request-id": "forged",
      "x-forwarded-user": victim.account.email,
    };
    expectRefused(await upgrade(victim.shared.id, { headers: forged }), 401);
    expectRefused(await upgrade(victim.shared.id, { headers: { ...forged, ...stranger.bearer } }), 404);
  });
});

describe("a ticket", () => {
  it("opens one socket, once", async () => {
    const ticket = await ticketFor(stranger.bearer, own.id);
    const socket = await connect(own.id, { headers: { origin: ORIGIN }, ticket });
    socket.close();
    expectRefused(await upgrade(own.id, { headers: { origin: ORIGIN }, ticket }), 401);
  });

  it("is worth nothing for another conversation, from another page or with another's name on it", async () => {
    const page = { origin: ORIGIN };
    const mine = await ticketFor(stranger.bearer, own.id);
    expectRefused(await upgrade(victim.personal.id, { headers: page, ticket: mine }), 401, "another conversation");
    expectRefused(await upgrade(newId(), { headers: page, ticket: mine }), 401, "no conversation");
    for (const headers of [{ origin: EVIL_ORIGIN }, {}] as Record<string, string>[]) {
      const theirs = await ticketFor(victim.account.bearer, victim.personal.id);
      expectRefused(await upgrade(victim.personal.id, { headers, ticket: theirs }), 401, "another page");
      const withName = { ...headers, ...stranger.bearer };
      expectRefused(await upgrade(victim.personal.id, { headers: withName, ticket: theirs }), 401, "another page");
    }
    expectRefused(await upgrade(own.id, { headers: page, ticket: "made-up" }), 401, "made up");
    for (const { id } of [victim.personal, victim.shared]) {
      const asked = await ask(`/api/conversations/${id}/tickets`, { method: "POST", headers: stranger.bearer });
      expectRefused(asked, 404, "not mine");
    }
  });

  it("is worth nothing after its time", async () => {
    const ticket = await ticketFor(stranger.bearer, own.id);
    const { CONVERSATION } = env as unknown as { CONVERSATION: DurableObjectNamespace };
    await runInDurableObject(CONVERSATION.get(CONVERSATION.idFromName(own.id)), (_object, { storage }) => {
      storage.sql.exec("update tickets set expires_at = expires_at - 31000");
    });
    expectRefused(await upgrade(own.id, { headers: { origin: ORIGIN }, ticket }), 401);
  });

  it("ends with the sign-in that asked for it", async () => {
    const session = await anotherSession(stranger);
    const ticket = await ticketFor(session.bearer, own.id);
    await signOut(session);
    expectRefused(await upgrade(own.id, { headers: { origin: ORIGIN }, ticket }), 401);
  });

  it("ends with the access of who asked for it", async () => {
    const [unshared, removed] = [await aTeammate("viewer"), await aTeammate("member")];
    const once = await aConversation(victim.account, victim.teamId, victim.shared.marker);
    const share = (visibility: string) =>
      ask(`/api/conversations/${once.id}`, { method: "PATCH", body: { visibility }, headers: victim.account.bearer });
    await share("workspace");
    const [first, second] = [await ticketFor(unshared.bearer, once.id), await ticketFor(removed.bearer, once.id)];
    await removeFrom(victim.account, victim.teamId, removed);
    expectRefused(await upgrade(once.id, { headers: { origin: ORIGIN }, ticket: second }), 401);
    await share("private");
    expectRefused(await upgrade(once.id, { headers: { origin: ORIGIN }, ticket: first }), 401);
    await settled(victim.account, once);
  });
});

/** Everything a client can say, with what is another's in every field that takes an id. */
function attacks(target: Marked): Record<ClientFrame["type"], ClientFrameInput[]> {
  const named = [target.id, target.messageId, target.turnId];
  const client = { name: "test", version: "1", kind: "api" } as const;
  const commands = COMMANDS.flatMap(({ name }) => [`/${name}`, ...named.map((id) => `/${name} ${id}`)]);
  return {
    hello: [{ type: "hello", protocol: 1, client, since: 0 }],
    "message:send": named.map((id) => ({ type: "message:send", id, text: `tell me about ${id}` })),
    "command:execute": commands.flatMap((command) =>
      [newId(), target.messageId].map((id) => ({ type: "command:execute" as const, id, command })),
    ),
    "turn:stop": named.flatMap((turnId) => [newId(), turnId].map((id) => ({ type: "turn:stop" as const, id, turnId }))),
    "tool:answer": named.map((callId) => ({
      type: "tool:answer",
      id: target.turnId,
      callId,
      decision: "allow-always",
    })),
    received: [{ type: "received", seq: 1 }],
  };
}

const ID_FIELDS = ["id", "turnId", "callId"];

describe("every frame", () => {
  it("is among the attacks, with another's id in each field that takes one", () => {
    const tried = attacks(victim.personal);
    const ids = [victim.personal.id, victim.personal.messageId, victim.personal.turnId];
    const types = ClientFrame.options.map((option) => option.shape.type.value);
    expect(Object.keys(tried).sort()).toEqual([...types].sort());
    for (const option of ClientFrame.options) {
      const type = option.shape.type.value;
      for (const field of Object.keys(option.shape).filter((name) => ID_FIELDS.includes(name))) {
        const used = tried[type].some((frame) =>
          ids.includes(String(Object.entries(frame).find(([name]) => name === field)?.[1])),
        );
        expect([type, field, used]).toEqual([type, field, true]);
      }
      const others = Object.keys(option.shape).filter((name) => !ID_FIELDS.includes(name) && /id$/i.test(name));
      expect([type, others]).toEqual([type, []]);
    }
  });

  it("from a conversation of one's own reaches nobody else's", async () => {
    const before = await everythingOf(victim);
    for (const target of [victim.personal, victim.shared]) {
      const mine = await aConversation(stranger, stranger.personalWorkspaceId, "own");
      const socket = await greeted(stranger.bearer, mine.id);
      for (const frame of Object.values(attacks(target)).flat()) socket.send(frame);
      const last = newId();
      socket.send({ type: "command:execute", id: last, command: "/help" });
      await socket.next("command:result", ({ id }) => id === last);
      const said = JSON.stringify(socket.frames);
      for (const marker of markers()) expect(said).not.toContain(marker);
      const ack = await socket.next("ack", ({ id }) => id === target.messageId);
      expect(ack.duplicate).toBe(false);
      for (const { callId } of attacks(target)["tool:answer"].filter((frame) => frame.type === "tool:answer"))
        expect(socket.all("error").length, callId).toBeGreaterThan(0);
      socket.close();
    }
    expect(await everythingOf(victim)).toEqual(before);
  });

  it("from a viewer of a shared conversation writes nothing; events reach them all the same", async () => {
    const before = await everythingOf(victim);
    const socket = await greeted(viewer.bearer, victim.shared.id);
    await socket.event("turn:completed");
    expect(JSON.stringify(socket.all("event"))).toContain(victim.shared.marker);
    const { hello: _, received, ...writes } = attacks(victim.shared);
    const frames = Object.values(writes).flat();
    for (const frame of [...received, ...frames]) socket.send(frame);
    await socket.until("an answer to each", () => (socket.all("error").length === frames.length ? true : undefined));
    expect(new Set(socket.all("error").map(({ code }) => code))).toEqual(new Set(["forbidden"]));
    expect([socket.all("ack"), socket.all("command:result")]).toEqual([[], []]);
    expect(await everythingOf(victim)).toEqual(before);
    const body = { text: "news for all" };
    const path = `/api/conversations/${victim.shared.id}/messages`;
    expect((await ask(path, { method: "POST", body, headers: victim.account.bearer })).status).toBe(202);
    await socket.next("event", ({ event }) => event.type === "message:added" && JSON.stringify(event).includes("news"));
    socket.close();
  });

  it("before `hello` is answered with an error and shows nothing", async () => {
    const socket = await connect(victim.shared.id, { headers: viewer.bearer });
    const { hello: _, ...rest } = attacks(victim.shared);
    const frames = Object.values(rest).flat();
    for (const frame of frames) socket.send(frame);
    await socket.until("an answer to each", () => (socket.frames.length === frames.length ? true : undefined));
    expect(new Set(socket.frames.map(({ type }) => type))).toEqual(new Set(["error"]));
    expect(JSON.stringify(socket.frames)).not.toContain(victim.shared.marker);
    socket.close();
  });
});

/** What someone hears on the endless stream of a conversation, and whether it has ended. */
async function listen(headers: Record<string, string>, conversationId: string) {
  const response = await fetchWorker(`/api/conversations/${conversationId}/events`, { headers });
  expect(response.status).toBe(200);
  const heard = { text: "", ended: false };
  void (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) heard.text += decoder.decode(chunk, { stream: true });
    heard.ended = true;
  })();
  await vi.waitFor(() => expect(heard.text).toContain("message:added"));
  return heard;
}

const untilEnded = (heard: { ended: boolean }) => vi.waitFor(() => expect(heard.ended).toBe(true), { timeout: 5_000 });

async function say(text: string): Promise<void> {
  const path = `/api/conversations/${victim.shared.id}/messages`;
  const sent = await ask(path, { method: "POST", body: { text }, headers: victim.account.bearer });
  expect(sent.status).toBe(202);
}

describe("access that ends", () => {
  it("ends with a sign-out: sockets, streams and requests, and only that sign-in's", async () => {
    const [leaving, staying] = [await anotherSession(victim.account), await anotherSession(victim.account)];
    const { id } = victim.shared;
    const [socket, other] = [await greeted(leaving.bearer, id), await greeted(staying.bearer, id)];
    const [heard, kept] = [await listen(leaving.bearer, id), await listen(staying.bearer, id)];
    await signOut(leaving);
    expect(await socket.untilClosed()).toMatchObject({ code: CLOSE.revoked });
    await untilEnded(heard);
    expect((await ask(`/api/conversations/${id}`, { headers: leaving.bearer })).status).toBe(401);
    expectRefused(await upgrade(id, { headers: leaving.bearer }), 401);
    const secret = `after the sign-out ${newId()}`;
    await say(secret);
    await vi.waitFor(() => expect(kept.text).toContain(secret));
    expect([other.closed, kept.ended]).toEqual([null, false]);
    expect(heard.text).not.toContain(secret);
    other.close();
  });

  it.each(["/revoke-sessions", "/revoke-other-sessions", "/revoke-session"])("ends with %s", async (route) => {
    const person = await aTeammate("member");
    const session = await anotherSession(person);
    const socket = await greeted(session.bearer, victim.shared.id);
    const body = route === "/revoke-session" ? { token: session.token } : {};
    const revoked = await ask(`/api/auth${route}`, { method: "POST", body, headers: person.bearer });
    expect(revoked.status).toBe(200);
    expect(await socket.untilClosed()).toMatchObject({ code: CLOSE.revoked });
    expect((await ask("/api/me", { headers: session.bearer })).status).toBe(401);
  });

  it("ends with the removal from the workspace, for sockets, streams, keys and requests", async () => {
    const person = await aTeammate("member");
    const { key } = await anApiKey(person);
    const { id } = victim.shared;
    const socket = await greeted(person.bearer, id);
    const byKey = await greeted({ "x-api-key": key }, id);
    const heard = await listen(person.bearer, id);
    await removeFrom(victim.account, victim.teamId, person);
    expect(await socket.untilClosed()).toMatchObject({ code: CLOSE.revoked });
    expect(await byKey.untilClosed()).toMatchObject({ code: CLOSE.revoked });
    await untilEnded(heard);
    const secret = `after the removal ${newId()}`;
    await say(secret);
    for (const headers of [person.bearer, { "x-api-key": key }] as Record<string, string>[]) {
      for (const path of ["", "/messages", "/export", "/events", "/context"])
        expectRefused(await ask(`/api/conversations/${id}${path}`, { headers }), 404, path);
      expectRefused(await upgrade(id, { headers }), 404);
      expectRefused(await ask(`/api/workspaces/${victim.teamId}/settings`, { headers }), 404);
    }
    expect(JSON.stringify([socket.frames, heard.text])).not.toContain(secret);
  });

  it("ends with leaving, and with a lower role what it allowed", async () => {
    const [leaver, demoted] = [await aTeammate("member"), await aTeammate("member")];
    const { id } = victim.shared;
    const [one, two] = [await greeted(leaver.bearer, id), await greeted(demoted.bearer, id)];
    const left = { method: "POST", body: { organizationId: victim.teamId }, headers: leaver.bearer };
    expect((await ask("/api/auth/organization/leave", left)).status).toBe(200);
    expect(await one.untilClosed()).toMatchObject({ code: CLOSE.revoked });
    expectRefused(await upgrade(id, { headers: leaver.bearer }), 404);
    const [member] =
      await ownerSql()`select id from auth.member where user_id = ${demoted.id} and organization_id = ${victim.teamId}`;
    const body = { organizationId: victim.teamId, memberId: member?.id, role: "viewer" };
    const asked = { method: "POST", body, headers: victim.account.bearer };
    expect((await ask("/api/auth/organization/update-member-role", asked)).status).toBe(200);
    expect(await two.untilClosed()).toMatchObject({ code: CLOSE.revoked });
    const again = await greeted(demoted.bearer, id);
    again.send({ type: "message:send", id: newId(), text: "may I?" });
    expect(await again.next("error")).toMatchObject({ code: "forbidden" });
    again.close();
  });

  it("ends for everyone else when a conversation is taken back", async () => {
    const person = await aTeammate("member");
    const once = await aConversation(victim.account, victim.teamId, "for a while");
    const share = (visibility: string) =>
      ask(`/api/conversations/${once.id}`, { method: "PATCH", body: { visibility }, headers: victim.account.bearer });
    await share("workspace");
    const socket = await greeted(person.bearer, once.id);
    const heard = await listen(person.bearer, once.id);
    const mine = await greeted(victim.account.bearer, once.id);
    await share("private");
    expect(await socket.untilClosed()).toMatchObject({ code: CLOSE.revoked });
    await untilEnded(heard);
    expect(mine.closed).toBeNull();
    mine.close();
  });

  it("ends with its time, though the client says nothing", async () => {
    const session = await anotherSession(victim.account);
    await ownerSql()`update auth.session set expires_at = now() + interval '2 seconds' where token = ${session.token}`;
    const socket = await greeted(session.bearer, victim.shared.id);
    const heard = await listen(session.bearer, victim.shared.id);
    await new Promise((resolve) => setTimeout(resolve, 2_200));
    const secret = `after its time ${newId()}`;
    await say(secret);
    expect(await socket.untilClosed()).toMatchObject({ code: CLOSE.unauthenticated });
    await untilEnded(heard);
    expect(JSON.stringify([socket.frames, heard.text])).not.toContain(secret);
  });
});
