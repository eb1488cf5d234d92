import { OAuth2Server } from "oauth2-mock-server";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { startTestDatabase, type TestDatabase } from "../../testing/postgres/test-database.ts";
import { ORIGIN, PASSWORD, type SignInHouse, startSignIn } from "../../testing/sign-in/start-sign-in.ts";

// Passwords are hashed for real, and the machine may be busy.
vi.setConfig({ testTimeout: 30_000 });

let database: TestDatabase;
beforeAll(async () => {
  database = await startTestDatabase();
}, 60_000);
afterAll(() => database?.stop());
beforeEach(async () => {
  await startSignIn(database).rows('truncate auth."user", auth.verification, auth.rate_limit cascade');
});

const signUp = (house: SignInHouse, email: string, more: object = {}, headers: Record<string, string> = {}) =>
  house.ask("/sign-up/email", { email, password: PASSWORD, name: "Someone", ...more }, headers);
const users = async (house: SignInHouse): Promise<unknown> =>
  (await house.rows('select count(*)::int as n from auth."user"'))[0]?.n;

describe("who may sign up", () => {
  it("makes exactly one of twenty simultaneous newcomers the administrator", async () => {
    const house = startSignIn(database);
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => signUp(house, `race${n}@example.com`)));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    const proofs = await Promise.all(
      answers.map(({ body }) =>
        house.signIn.authenticate(new Headers({ authorization: `Bearer ${String(body.token)}` })),
      ),
    );
    const admins = proofs.filter((proof) => proof.state === "signed-in" && proof.principal.isInstanceAdmin);
    expect(admins).toHaveLength(1);
    expect(await house.rows("select singleton from auth.instance_admin")).toEqual([{ singleton: true }]);
  }, 60_000);

  it("closed: lets the first one in and nobody after, not even beside", async () => {
    const house = startSignIn(database, { SIGN_UP: "closed" });
    const answers = await Promise.all(Array.from({ length: 6 }, (_, n) => signUp(house, `closed${n}@example.com`)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await users(house)).toBe(1);
    expect(await signUp(house, "later@example.com")).toMatchObject({ status: 403, body: { code: "SIGN_UP_REFUSED" } });
    expect(await users(house)).toBe(1);
  });

  it("invite: lets in the first one, then invited addresses only, while the invitation stands", async () => {
    const house = startSignIn(database, { SIGN_UP: "invite" });
    const admin = await house.newcomer("first@example.com");
    expect((await signUp(house, "guest@example.com")).status).toBe(403);
    const workspace = await house.ask("/organization/create", { name: "Crew", slug: "crew" }, admin.bearer);
    const invite = (email: string) =>
      house.ask(
        "/organization/invite-member",
        { organizationId: workspace.body.id, email, role: "member" },
        admin.bearer,
      );
    await invite("Guest@example.com");
    await invite("late@example.com");
    await house.rows(
      "update auth.invitation set expires_at = now() - interval '1 second' where email = 'late@example.com'",
    );
    expect((await signUp(house, "guest@example.com")).status).toBe(200);
    expect((await signUp(house, "late@example.com")).status).toBe(403);
  });

  it("asks the first one for the setup token, in the header or the body, and nobody later", async () => {
    const house = startSignIn(database, { SETUP_TOKEN: "printed-at-start" });
    const refused = [
      await signUp(house, "a@example.com"),
      await signUp(house, "a@example.com", { setupToken: "guess" }),
    ];
    for (const answer of refused) expect(answer).toMatchObject({ status: 403, body: { code: "SETUP_TOKEN_REQUIRED" } });
    expect(String(refused[0]?.body.message)).toContain("x-setup-token");
    expect(await users(house)).toBe(0);
    expect((await signUp(house, "a@example.com", { setupToken: "printed-at-start" })).status).toBe(200);
    expect((await signUp(house, "b@example.com")).status).toBe(200);
    await house.rows('truncate auth."user" cascade');
    expect((await signUp(house, "c@example.com", {}, { "x-setup-token": "printed-at-start" })).status).toBe(200);
  });
});

describe("single sign-on", () => {
  const issuer = new OAuth2Server();
  beforeAll(async () => {
    await issuer.issuer.keys.generate("RS256");
    await issuer.start(0, "127.0.0.1");
    issuer.service.on("beforeTokenSigning", (token) => {
      token.payload = {
        ...token.payload,
        sub: "oidc-ada",
        email: "sso@example.com",
        email_verified: true,
        name: "Ada SSO",
      };
    });
  });
  afterAll(() => issuer.stop());
  const settings = () => ({
    OIDC_ISSUER: issuer.issuer.url ?? "",
    OIDC_CLIENT_ID: "mosaic",
    OIDC_CLIENT_SECRET: "secret",
  });

  /** What a browser does: follow to the issuer, come back with the code and the state cookie. */
  async function throughTheBrowser(house: SignInHouse) {
    const start = await house.ask("/sign-in/social", { provider: "oidc", callbackURL: "/" });
    expect(start.status).toBe(200);
    const authorize = new URL(String(start.body.url));
    const nonce = authorize.searchParams.get("nonce");
    const bind = (token: { payload: Record<string, unknown> }) => {
      token.payload.aud = "mosaic";
      if (nonce) token.payload.nonce = nonce;
    };
    issuer.service.once("beforeTokenSigning", bind);
    issuer.service.on("beforeTokenSigning", bind);
    const back = new URL((await fetch(authorize, { redirect: "manual" })).headers.get("location") ?? "");
    expect(back.href.startsWith(`${ORIGIN}/api/auth/callback/oidc`)).toBe(true);
    const cookie = start.headers
      .getSetCookie()
      .map((one) => one.split(";")[0])
      .join("; ");
    const answer = await house.ask(`/callback/oidc${back.search}`, undefined, { cookie });
    issuer.service.off("beforeTokenSigning", bind);
    return answer;
  }

  it("signs a person in through an OpenID Connect issuer, twice as the same one", async () => {
    const house = startSignIn(database, settings());
    for (let time = 0; time < 2; time += 1) {
      const answer = await throughTheBrowser(house);
      expect([answer.status, answer.headers.get("location")]).toEqual([302, "/"]);
      const cookie = answer.headers
        .getSetCookie()
        .map((one) => one.split(";")[0])
        .join("; ");
      expect(await house.signIn.authenticate(new Headers({ cookie }))).toMatchObject({
        state: "signed-in",
        user: { email: "sso@example.com", name: "Ada SSO", emailVerified: true },
      });
    }
    expect(await users(house)).toBe(1);
  });

  it("holds newcomers from the issuer to the same policy", async () => {
    const house = startSignIn(database, { ...settings(), SIGN_UP: "closed" });
    await house.newcomer("first@example.com");
    const answer = await throughTheBrowser(house);
    expect(answer.status === 403 || answer.headers.get("location")?.includes("error=")).toBe(true);
    expect(await users(house)).toBe(1);
  });

  it("keeps everything else working while the issuer is down", async () => {
    const house = startSignIn(database, { ...settings(), OIDC_ISSUER: "http://127.0.0.1:9" });
    await house.newcomer("password@example.com");
    const answer = await house.ask("/sign-in/social", { provider: "oidc", callbackURL: "/" });
    expect(answer).toMatchObject({ status: 503, body: { code: "provider_unavailable" } });
  });
});
