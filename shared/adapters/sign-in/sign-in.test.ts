import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { startTestDatabase, type TestDatabase } from "../../testing/postgres/test-database.ts";
import { freshAddress, ORIGIN, PASSWORD, type SignInHouse, startSignIn } from "../../testing/sign-in/start-sign-in.ts";

// Passwords are hashed for real, and the machine may be busy.
vi.setConfig({ testTimeout: 30_000 });

let database: TestDatabase;
let house: SignInHouse;
beforeAll(async () => {
  database = await startTestDatabase();
  house = startSignIn(database);
  await house.newcomer("admin@example.com");
}, 60_000);
afterAll(() => database?.stop());

const authenticate = (headers: Record<string, string>) => house.signIn.authenticate(new Headers(headers));

describe("e-mail and password", () => {
  it("signs up, proves who it is by cookie and bearer alike, signs out, and is then worth nothing", async () => {
    const ada = await house.newcomer("ada@example.com");
    const byCookie = await authenticate({ cookie: ada.cookie });
    expect(byCookie).toMatchObject({
      state: "signed-in",
      via: "cookie",
      user: { id: ada.id, email: "ada@example.com", emailVerified: false },
      workspaces: [{ personal: true, role: "owner" }],
      principal: { userId: ada.id, credential: "session", isInstanceAdmin: false },
    });
    expect(await authenticate(ada.bearer)).toMatchObject({ state: "signed-in", via: "bearer" });
    const out = await house.ask("/sign-out", {}, { cookie: ada.cookie, origin: ORIGIN });
    expect(out.status).toBe(200);
    expect(await authenticate({ cookie: ada.cookie })).toEqual({ state: "expired" });
    expect(await authenticate(ada.bearer)).toEqual({ state: "expired" });
    const session = byCookie.state === "signed-in" ? byCookie.principal.credentialId : "";
    expect(house.heard.revoked).toContainEqual({ credentialId: session, userId: ada.id });
  });

  it("refuses a wrong password and an unknown address with the same words", async () => {
    await house.newcomer("grace@example.com");
    const wrong = await house.ask("/sign-in/email", { email: "grace@example.com", password: "not the password" });
    const unknown = await house.ask("/sign-in/email", { email: "nobody@example.com", password: "not the password" });
    expect(wrong.status).toBe(401);
    expect(unknown).toMatchObject({ status: 401, body: wrong.body });
    const right = await house.ask("/sign-in/email", { email: "GRACE@example.com", password: PASSWORD });
    expect(right.status).toBe(200);
  });

  it("asks for ten characters", async () => {
    const answer = await house.ask("/sign-up/email", { email: "s@example.com", password: "short", name: "S" });
    expect(answer).toMatchObject({ status: 400, body: { code: "PASSWORD_TOO_SHORT" } });
  });

  it("resets a password by mail and ends every session", async () => {
    const user = await house.newcomer("reset@example.com");
    const known = await house.ask("/request-password-reset", { email: "reset@example.com", redirectTo: "/reset" });
    const unknown = await house.ask("/request-password-reset", { email: "who@example.com", redirectTo: "/reset" });
    expect(known).toMatchObject({ status: 200, body: unknown.body });
    await house.settled();
    const mail = house.mails.find(({ to }) => to === "reset@example.com");
    const token = /reset-password\/([^?\s]+)/.exec(mail?.text ?? "")?.[1];
    const reset = await house.ask("/reset-password", { newPassword: "a new long password", token });
    expect(reset.status).toBe(200);
    expect(await authenticate(user.bearer)).toEqual({ state: "expired" });
    expect((await house.ask("/sign-in/email", { email: "reset@example.com", password: PASSWORD })).status).toBe(401);
    const fresh = await house.ask("/sign-in/email", { email: "reset@example.com", password: "a new long password" });
    expect(fresh.status).toBe(200);
    expect(house.heard.revoked.some(({ userId }) => userId === user.id)).toBe(true);
    expect((await house.ask("/reset-password", { newPassword: "once more, please", token })).status).toBe(400);
  });
});

describe("credentials", () => {
  it("tells nobody from one whose proof is worth nothing", async () => {
    expect(await authenticate({})).toEqual({ state: "anonymous" });
    expect(await authenticate({ authorization: "Basic abc" })).toEqual({ state: "anonymous" });
    for (const headers of [
      { authorization: "Bearer nonsense" },
      { authorization: "Bearer a.b" },
      { authorization: "Bearer %E0%A4.%" },
      { "x-api-key": "mosaic_nonsense" },
      { cookie: "better-auth.session_token=forged.AAAA" },
    ] as Record<string, string>[]) {
      expect(await authenticate(headers)).toEqual({ state: "expired" });
    }
  });

  it("takes a session's token only under its own signature in a cookie", async () => {
    const user = await house.newcomer("cookie@example.com");
    expect(await authenticate({ cookie: `better-auth.session_token=${user.token}` })).toEqual({ state: "expired" });
    const signed = user.cookie.split("=")[1] ?? "";
    expect(await authenticate({ authorization: `Bearer ${signed}` })).toMatchObject({ state: "signed-in" });
  });

  it("refuses an expired session at once, and prolongs one in use", async () => {
    const user = await house.newcomer("time@example.com");
    await house.rows(
      "update auth.session set updated_at = now() - interval '2 days', expires_at = now() + interval '1 hour' where token = $1",
      [user.token],
    );
    expect(await authenticate(user.bearer)).toMatchObject({ state: "signed-in" });
    await house.settled();
    const [session] = await house.rows(
      "select expires_at > now() + interval '29 days' as prolonged from auth.session where token = $1",
      [user.token],
    );
    expect(session).toEqual({ prolonged: true });
    await house.rows("update auth.session set expires_at = now() - interval '1 second' where token = $1", [user.token]);
    expect(await authenticate(user.bearer)).toEqual({ state: "expired" });
  });

  it("takes an API key in both headers, far more often than ten times, until it is deleted", async () => {
    const user = await house.newcomer("key@example.com");
    const made = await house.ask("/api-key/create", { name: "laptop" }, user.bearer);
    expect(made.status).toBe(200);
    const { key, id } = made.body as { key: string; id: string };
    for (let time = 0; time < 15; time += 1) {
      expect(await authenticate({ "x-api-key": key })).toMatchObject({ state: "signed-in", via: "api-key" });
    }
    expect(await authenticate({ authorization: `Bearer ${key}` })).toMatchObject({
      state: "signed-in",
      via: "api-key",
      principal: { userId: user.id, credential: "api-key", credentialId: id },
    });
    const stored = await house.rows("select key from auth.api_key where id = $1", [id]);
    expect(stored[0]?.key).not.toBe(key);
    const other = await house.newcomer("thief@example.com");
    expect((await house.ask("/api-key/delete", { keyId: id }, other.bearer)).status).toBe(404);
    expect(house.heard.revoked.some(({ credentialId }) => credentialId === id)).toBe(false);
    expect((await house.ask("/api-key/delete", { keyId: id }, user.bearer)).status).toBe(200);
    expect(await authenticate({ "x-api-key": key })).toEqual({ state: "expired" });
    expect(house.heard.revoked).toContainEqual({ credentialId: id, userId: user.id });
  });

  it("takes neither a disabled nor an expired API key", async () => {
    const user = await house.newcomer("disabled@example.com");
    const { key, id } = (await house.ask("/api-key/create", { name: "k" }, user.bearer)).body as {
      key: string;
      id: string;
    };
    expect((await house.ask("/api-key/update", { keyId: id, enabled: false }, user.bearer)).status).toBe(200);
    expect(await authenticate({ "x-api-key": key })).toEqual({ state: "expired" });
    expect(house.heard.revoked).toContainEqual({ credentialId: id, userId: user.id });
    await house.rows("update auth.api_key set enabled = true, expires_at = now() - interval '1 second' where id = $1", [
      id,
    ]);
    expect(await authenticate({ "x-api-key": key })).toEqual({ state: "expired" });
  });

  it("keeps two users apart: neither sees the other's sessions or revokes them", async () => {
    const [one, two] = [await house.newcomer("one@example.com"), await house.newcomer("two@example.com")];
    const listed = await house.ask("/list-sessions", undefined, one.bearer);
    expect(listed.body).toMatchObject([{ userId: one.id }]);
    await house.ask("/revoke-session", { token: two.token }, one.bearer);
    expect(await authenticate(two.bearer)).toMatchObject({ state: "signed-in", user: { id: two.id } });
  });
});

describe("guards", () => {
  it("counts sign-ins per address in the database and then says 429", async () => {
    const address = { "x-forwarded-for": freshAddress() };
    const attempt = (body: object) => house.ask("/sign-in/email", body, address);
    // Counted all the same, and cheaper than a wrong password.
    for (let time = 0; time < 19; time += 1) expect((await attempt({})).status).toBe(400);
    const guess = { email: "admin@example.com", password: "wrong password" };
    expect((await attempt(guess)).status).toBe(401);
    const stopped = await attempt(guess);
    expect(stopped).toMatchObject({ status: 429, body: { code: "rate_limited" } });
    expect(Number(stopped.headers.get("retry-after"))).toBeGreaterThan(0);
    const row = await house.rows("select count from auth.rate_limit where key like $1", [
      `${address["x-forwarded-for"]}%`,
    ]);
    expect(row).toEqual([{ count: 20 }]);
  });

  it("refuses a cookie from a page of another origin", async () => {
    const user = await house.newcomer("csrf@example.com");
    const evil = await house.ask("/sign-out", {}, { cookie: user.cookie, origin: "https://evil.example" });
    expect(evil.status).toBe(403);
    expect(await authenticate(user.bearer)).toMatchObject({ state: "signed-in" });
    const allowed = startSignIn(database, { ALLOWED_ORIGINS: ["https://friend.example"] });
    expect((await allowed.ask("/sign-out", {}, { cookie: user.cookie, origin: "https://friend.example" })).status).toBe(
      200,
    );
  });

  it("lets programs sign in without an origin, but no page of another site", async () => {
    const { email, password } = { email: "admin@example.com", password: PASSWORD };
    const attempt = (headers: Record<string, string>) => house.ask("/sign-in/email", { email, password }, headers);
    expect((await attempt({ "sec-fetch-mode": "cors" })).status).toBe(200);
    expect((await attempt({ "sec-fetch-mode": "cors", origin: ORIGIN })).status).toBe(200);
    for (const headers of [
      { "sec-fetch-mode": "cors", "sec-fetch-site": "cross-site" },
      { "sec-fetch-mode": "cors", origin: "https://evil.example" },
      { "sec-fetch-mode": "navigate", "sec-fetch-site": "cross-site", origin: ORIGIN },
    ] as Record<string, string>[]) {
      expect((await attempt(headers)).status).toBe(403);
    }
  });

  it("marks cookies secure under https", async () => {
    const secure = startSignIn(database, { PUBLIC_URL: "https://mosaic.test" });
    const user = await secure.newcomer("secure@example.com");
    expect(user.cookie).toMatch(/^__Secure-better-auth\.session_token=/);
    expect(await secure.signIn.authenticate(new Headers({ cookie: user.cookie }))).toMatchObject({
      state: "signed-in",
    });
  });

  it("never answers bad input with a 5xx", async () => {
    const user = await house.newcomer("fuzz@example.com");
    const long = "x".repeat(20_000);
    const nul = await house.ask("/sign-up/email", {
      email: "nul@example.com",
      password: PASSWORD,
      name: "N\0U\ud800L",
    });
    expect(nul).toMatchObject({ status: 200, body: { user: { name: "NU\ufffdL" } } });
    const attempts: [string, unknown][] = [
      ["/sign-up/email", { email: "long@example.com", password: PASSWORD, name: "n".repeat(101) }],
      ["/sign-up/email", { email: `${"e".repeat(3_000)}@example.com`, password: PASSWORD, name: "n" }],
      ["/sign-up/email", { email: "fuzz@example.com", password: PASSWORD, name: "again" }],
      ["/sign-up/email", { email: "l2@example.com", password: long, name: "n" }],
      ["/sign-up/email", "{not json"],
      ["/sign-up/email", JSON.stringify({ name: "x".repeat(70_000) })],
      ["/update-user", { name: "n".repeat(101) }],
      ["/update-user", { image: "i".repeat(2_001) }],
      ["/api-key/delete", { keyId: "no-uuid" }],
      ["/api-key/create", { name: "n".repeat(101) }],
      ["/api-key/create", { name: "n", expiresIn: 1e300 }],
      ["/organization/create", { name: "n".repeat(101), slug: "long-name" }],
      ["/organization/create", { name: "Bad slug", slug: "Bad slug!" }],
      ["/organization/set-active", { organizationId: "no-uuid" }],
      ["/organization/accept-invitation", { invitationId: "no-uuid" }],
      ["/organization/invite-member", { organizationId: "no-uuid", email: "a@example.com", role: "member" }],
      ["/device/code", { client_id: "mosaic-cli", user_id: "no-uuid" }],
      ["/device/code", { client_id: "mosaic-cli", user_id: "01890000-0000-7000-8000-000000000000" }],
      ["/device/approve", { userCode: "x\0y" }],
      ["/revoke-session", { token: 7 }],
    ];
    for (const [path, body] of attempts) {
      const { status } = await house.ask(path, body, user.bearer);
      expect([path, JSON.stringify(body).slice(0, 60), status >= 400 && status < 500 ? "4xx" : status]).toEqual([
        path,
        JSON.stringify(body).slice(0, 60),
        "4xx",
      ]);
    }
    expect((await house.ask("/device?user_code=%00")).status).toBe(400);
  });

  it("says that the database is away, and not that the sign-in is wrong", async () => {
    const user = await house.newcomer("away@example.com");
    const elsewhere = database.authUrl.replace(/@[^/]+/, "@gone.test:1");
    const away = startSignIn({
      ...database,
      authUrl: elsewhere,
      appUrl: elsewhere,
      endpoint: "http://127.0.0.1:9/sql",
    });
    await expect(away.signIn.authenticate(new Headers(user.bearer))).rejects.toMatchObject({
      code: "database_unavailable",
    });
    expect(await away.ask("/get-session", undefined, user.bearer)).toMatchObject({
      status: 503,
      body: { code: "database_unavailable" },
    });
  });

  it("ends an account with its sessions, keys and personal workspace, and hands its workspace on", async () => {
    const [owner, heir] = [await house.newcomer("owner@example.com"), await house.newcomer("heir@example.com")];
    const shared = await house.ask("/organization/create", { name: "Shared", slug: "shared-end" }, owner.bearer);
    const workspaceId = String(shared.body.id);
    await house.rows(
      "insert into auth.member (id, organization_id, user_id, role) values (gen_random_uuid(), $1, $2, 'viewer')",
      [workspaceId, heir.id],
    );
    const proof = await authenticate(owner.bearer);
    if (proof.state !== "signed-in") throw new Error("not signed in");
    await house.signIn.deleteUser(proof.principal, new Headers());
    await house.signIn.deleteUser(proof.principal, new Headers());
    expect(await authenticate(owner.bearer)).toEqual({ state: "expired" });
    const left = await authenticate(heir.bearer);
    expect(left).toMatchObject({ workspaces: [{ personal: true }, { id: workspaceId, role: "owner" }] });
    expect(house.heard.revoked).toContainEqual({ credentialId: proof.principal.credentialId, userId: owner.id });
    expect(await house.rows("select id from auth.organization where personal_user_id = $1", [owner.id])).toEqual([]);
  });
});
