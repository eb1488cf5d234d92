import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { ownerSql } from "../../shared/testing/worker/people.ts";
import {
  type Account,
  anAccount,
  anApiKey,
  anotherSession,
  ask,
  EVIL_ORIGIN,
  expectNoSecretTold,
  fetchWorker,
  join,
  ORIGIN,
  removeFrom,
} from "./real-house.ts";
import { aConversation, aVictim, everythingOf, type Victim } from "./victim.ts";

vi.setConfig({ testTimeout: 30_000 });

const Listed = z.object({ items: z.array(z.looseObject({ id: z.string() })) });

let victim: Victim;
let stranger: Account;
beforeAll(async () => {
  victim = await aVictim();
  stranger = await anAccount("stranger");
}, 60_000);
afterAll(expectNoSecretTold);

const carriers = (key: string): Record<string, string>[] => [{ "x-api-key": key }, { authorization: `Bearer ${key}` }];
const statusOf = async (path: string, headers: Record<string, string>) => (await ask(path, { headers })).status;

describe("an API key", () => {
  it("is its owner's alone: it opens theirs and nothing else", async () => {
    const [mine, theirs] = [await anApiKey(victim.account), await anApiKey(stranger)];
    for (const headers of carriers(theirs.key)) {
      for (const { id } of [victim.personal, victim.privateInTeam, victim.shared])
        expect(await statusOf(`/api/conversations/${id}`, headers)).toBe(404);
      expect(await statusOf(`/api/workspaces/${victim.teamId}/settings`, headers)).toBe(404);
      expect(Listed.parse((await ask("/api/conversations", { headers })).json).items).toEqual([]);
    }
    for (const headers of carriers(mine.key))
      expect(await statusOf(`/api/conversations/${victim.personal.id}`, headers)).toBe(200);
  });

  it("beside another's session is the one that counts, wherever both are sent", async () => {
    const { key } = await anApiKey(stranger);
    const path = `/api/conversations/${victim.personal.id}`;
    expect(await statusOf(path, { "x-api-key": key, ...victim.account.bearer })).toBe(404);
    expect(await statusOf(path, { "x-api-key": key, cookie: victim.account.cookie })).toBe(404);
    expect(await statusOf(path, { "x-api-key": "mosaic_nonsense", ...victim.account.bearer })).toBe(401);
    expect(await statusOf(path, { authorization: `Bearer ${key}`, cookie: victim.account.cookie })).toBe(404);
  });

  it("is worth nothing once it is deleted, disabled or past its time", async () => {
    const post = (path: string, body: object) =>
      ask(`/api/auth/api-key/${path}`, { method: "POST", body, headers: victim.account.bearer });
    const [deleted, disabled, late] = [
      await anApiKey(victim.account),
      await anApiKey(victim.account),
      await anApiKey(victim.account),
    ];
    expect((await post("delete", { keyId: deleted.id })).status).toBe(200);
    expect((await post("update", { keyId: disabled.id, enabled: false })).status).toBe(200);
    await ownerSql()`update auth.api_key set expires_at = now() - interval '1 second' where id = ${late.id}`;
    for (const { key } of [deleted, disabled, late])
      for (const headers of carriers(key))
        for (const path of ["/api/me", `/api/conversations/${victim.personal.id}`, "/api/me/export"])
          expect([path, await statusOf(path, headers)]).toEqual([path, 401]);
  });

  it("opens nothing of a workspace that its owner has left, and still what is theirs", async () => {
    const person = await anAccount("leaver");
    await join(victim.account, victim.teamId, person, "member");
    const { key } = await anApiKey(person);
    const inTeam = await aConversation(person, victim.teamId, "made in the team");
    const own = await aConversation(person, person.personalWorkspaceId, "at home");
    await removeFrom(victim.account, victim.teamId, person);
    for (const headers of carriers(key)) {
      for (const id of [victim.shared.id, inTeam.id]) {
        expect(await statusOf(`/api/conversations/${id}`, headers)).toBe(404);
        const sent = await ask(`/api/conversations/${id}/messages`, { method: "POST", body: { text: "x" }, headers });
        expect(sent.status).toBe(404);
      }
      const made = { method: "POST", body: { workspaceId: victim.teamId }, headers };
      expect((await ask("/api/conversations", made)).status).toBe(404);
      expect(await statusOf(`/api/conversations?workspaceId=${victim.teamId}`, headers)).toBe(404);
      const { items } = Listed.parse((await ask("/api/conversations", { headers })).json);
      expect(items.map(({ id }) => id)).toEqual([own.id]);
      expect(await statusOf(`/api/conversations/${own.id}`, headers)).toBe(200);
    }
  });

  it("manages no sign-in: neither keys nor sessions nor people", async () => {
    const { key } = await anApiKey(victim.account);
    const before = await everythingOf(victim);
    const writes: [string, object][] = [
      ["/api-key/create", { name: "more" }],
      ["/revoke-sessions", {}],
      ["/organization/invite-member", { organizationId: victim.teamId, email: "x@example.com", role: "owner" }],
      ["/change-password", { currentPassword: victim.account.password, newPassword: "another long password" }],
    ];
    for (const headers of carriers(key))
      for (const [path, body] of writes)
        expect([path, (await ask(`/api/auth${path}`, { method: "POST", body, headers })).status]).toEqual([path, 401]);
    expect(await everythingOf(victim)).toEqual(before);
  });
});

/** Headers by which a proxy, or the Worker itself, would say who is asking. */
const forgeries = (): Record<string, string>[] => {
  const principal = {
    userId: victim.account.id,
    name: "alice",
    credentialId: crypto.randomUUID(),
    credential: "session",
    workspaces: [
      { id: victim.teamId, role: "owner" },
      { id: victim.account.personalWorkspaceId, role: "owner" },
    ],
    isInstanceAdmin: true,
    expiresAt: "2999-01-01T00:00:00.000Z",
  };
  return [
    { "x-mosaic-principal": JSON.stringify({ by: "principal", principal }) },
    { "x-mosaic-principal": JSON.stringify(principal), "x-mosaic-request-id": "forged", "x-mosaic-refused": "1" },
    {
      "x-forwarded-user": victim.account.email,
      "x-forwarded-email": victim.account.email,
      "x-user-id": victim.account.id,
    },
    { "x-forwarded-host": "evil.example", "x-forwarded-proto": "https", "x-forwarded-for": "127.0.0.1" },
    { "x-original-url": "/api/me", "x-rewrite-url": "/api/me", "x-http-method-override": "DELETE" },
    {
      forwarded: "for=127.0.0.1;host=evil.example;proto=https",
      "cf-access-authenticated-user-email": victim.account.email,
    },
    { authorization: `Basic ${btoa(`${victim.account.email}:x`)}` },
  ];
};

describe("a header from outside", () => {
  it("makes nobody someone else", async () => {
    const before = await everythingOf(victim);
    for (const forged of forgeries()) {
      const name = Object.keys(forged).join();
      for (const { id } of [victim.personal, victim.shared]) {
        for (const path of ["", "/messages", "/events", "/export"])
          expect([name, await statusOf(`/api/conversations/${id}${path}`, forged)]).toEqual([name, 401]);
        if (!("authorization" in forged))
          expect(await statusOf(`/api/conversations/${id}/events`, { ...forged, ...stranger.bearer })).toBe(404);
        const send = { method: "POST", body: { text: "stolen" }, headers: { ...forged, accept: "text/event-stream" } };
        expect((await ask(`/api/conversations/${id}/messages`, send)).status).toBe(401);
      }
    }
    expect(await everythingOf(victim)).toEqual(before);
  });

  it("moves neither links nor cookies nor redirects to another host", async () => {
    const [, , , host = {}] = forgeries();
    for (const path of ["/api/openapi.json", "/api/me", "/api/nothing", "/health/live"]) {
      const { text } = await ask(path, { headers: { ...host, ...stranger.bearer } });
      expect([path, text.includes("evil.example")]).toEqual([path, false]);
    }
    const code = await ask("/api/auth/device/code", {
      method: "POST",
      body: { client_id: "mosaic-cli" },
      headers: host,
    });
    expect(code.text).toContain(`${ORIGIN}/device`);
    expect(code.text).not.toContain("evil.example");
    const redirected = await ask("/api/auth/sign-in/email", {
      method: "POST",
      body: { email: stranger.email, password: stranger.password, callbackURL: "https://evil.example/" },
    });
    expect(redirected.status).toBe(403);
  });

  it("asks for no other method than its own", async () => {
    const headers = { ...stranger.bearer, "x-http-method-override": "DELETE", "x-method-override": "DELETE" };
    expect((await ask("/api/me", { headers })).status).toBe(200);
    expect((await ask("/api/me", { headers: stranger.bearer })).status).toBe(200);
  });
});

const OPEN_PATHS = () => [
  "/api/me",
  "/api/conversations",
  `/api/conversations/${victim.personal.id}`,
  `/api/conversations/${victim.personal.id}/messages`,
  "/api/auth/get-session",
  "/api/auth/list-sessions",
  "/api/openapi.json",
  "/health/ready",
  "/api/nothing",
];

describe("a page of another origin", () => {
  it("may read no answer, not even with the visitor's cookie", async () => {
    const { cookie } = victim.account;
    for (const origin of [
      EVIL_ORIGIN,
      "null",
      `${ORIGIN}.evil.example`,
      "http://localhost:8788",
      "https://localhost:8787",
    ])
      for (const path of OPEN_PATHS()) {
        const { headers } = await ask(path, { headers: { cookie, origin } });
        const told = [headers.get("access-control-allow-origin"), headers.get("access-control-allow-credentials")];
        expect([origin, path, ...told]).toEqual([origin, path, null, null]);
        const preflight = { origin, "access-control-request-method": "DELETE" };
        const asked = await ask(path, { method: "OPTIONS", headers: preflight });
        expect([path, asked.headers.get("access-control-allow-origin")]).toEqual([path, null]);
        expect([path, asked.headers.get("access-control-allow-methods")]).toEqual([path, null]);
      }
    const own = await ask("/api/me", { headers: { cookie, origin: ORIGIN } });
    expect([own.status, own.headers.get("access-control-allow-origin")]).toEqual([200, ORIGIN]);
    expect(own.headers.get("vary")?.toLowerCase()).toContain("origin");
  });

  it("may write nothing with the visitor's cookie", async () => {
    const { cookie } = await anotherSession(victim.account);
    const before = await everythingOf(victim);
    const { id } = victim.personal;
    const writes: [string, string, object][] = [
      ["POST", "/api/conversations", { title: "stolen" }],
      ["POST", `/api/conversations/${id}/messages`, { text: "stolen" }],
      ["PATCH", `/api/conversations/${id}`, { visibility: "workspace" }],
      ["DELETE", `/api/conversations/${id}`, {}],
      ["DELETE", "/api/me", {}],
      ["POST", "/api/auth/api-key/create", { name: "stolen" }],
      ["POST", "/api/auth/sign-out", {}],
      ["POST", "/api/auth/update-user", { name: "stolen" }],
      ["POST", "/api/auth/device/approve", { userCode: "AAAABBBB" }],
    ];
    const from: Record<string, string>[] = [
      { origin: EVIL_ORIGIN },
      { origin: "null" },
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site", "sec-fetch-mode": "cors" },
    ];
    for (const origin of from)
      for (const [method, path, body] of writes) {
        const { status } = await ask(path, { method, body, headers: { cookie, ...origin } });
        expect([JSON.stringify(origin), method, path, status]).toEqual([JSON.stringify(origin), method, path, 403]);
      }
    expect(await everythingOf(victim)).toEqual(before);
  });

  it("finds a session cookie that no script reads and no other site sends", async () => {
    const { email, password } = stranger;
    const asked = { method: "POST", body: { email, password } };
    const cookie = (await ask("/api/auth/sign-in/email", asked)).headers.get("set-cookie") ?? "";
    expect(cookie).toMatch(/HttpOnly/i);
    expect(cookie).toMatch(/SameSite=Lax/i);
    expect(cookie).not.toMatch(/Domain=/i);
  });
});

describe("every answer", () => {
  it("carries the headers that keep browsers in line, a HEAD's and an error's too", async () => {
    const requests: [string, string, object | string | undefined][] = [
      ...OPEN_PATHS().map((path): [string, string, undefined] => ["GET", path, undefined]),
      ["HEAD", "/api/me", undefined],
      ["POST", "/api/conversations", "{not json"],
      ["PUT", "/api/me", {}],
      ["POST", "/api/auth/sign-in/email", "{not json"],
      ["GET", "/api/docs", undefined],
      ["OPTIONS", "/api/me", undefined],
    ];
    for (const [method, path, body] of requests) {
      // `ask` checks the headers of whatever is answered.
      await ask(path, { method, headers: stranger.bearer, ...(body === undefined ? {} : { body }) });
    }
    const events = await fetchWorker(`/api/conversations/${victim.personal.id}/events`, {
      headers: victim.account.bearer,
    });
    expect([events.headers.get("x-content-type-options"), events.headers.get("cache-control")]).toEqual([
      "nosniff",
      "no-store",
    ]);
    await events.body?.cancel();
  });
});
