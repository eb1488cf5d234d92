import { OAuth2Server } from "oauth2-mock-server";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { ProviderLoginSettings } from "../../contract/provider-login-settings.ts";
import type { Begun, PendingLogin } from "../../ports/login-endpoints.ts";
import { LoginVendor, MISBEHAVIOURS } from "../../testing/provider-logins/login-vendor.ts";
import { createLoginEndpoints } from "./login-endpoints.ts";
import { createOpenAiDeviceFlow } from "./openai-device-flow.ts";

const URI = "https://mosaic.example/api/providers/zai/callback";
const NOW = Date.parse("2026-11-21T12:00:00Z");

let vendor: LoginVendor;
let issuer: OAuth2Server;
beforeAll(async () => {
  vendor = await new LoginVendor().start();
  issuer = new OAuth2Server();
  await issuer.issuer.keys.generate("RS256");
  await issuer.start(0, "127.0.0.1");
});
afterAll(async () => {
  await vendor.stop();
  await issuer.stop();
});
beforeEach(() => {
  vendor.asked.length = 0;
  vendor.device = "authorization_pending";
  issuer.service.removeAllListeners();
});

const endpointsFor = (logins: Record<string, object>, seen: RequestInit[] = []) =>
  createLoginEndpoints({
    logins: ProviderLoginSettings.parse(JSON.stringify(logins)),
    fetch: (url, init) => {
      seen.push(init);
      return fetch(url, init);
    },
    now: () => new Date(NOW),
  });

const redirectAt = () => ({
  clientId: "mosaic",
  clientAuthentication: "post",
  authorizationUrl: `${vendor.url}/authorize?audience=api`,
  tokenUrl: `${vendor.url}/token`,
  revocationUrl: `${vendor.url}/revoke`,
  scopes: "models offline",
});

function begun<Method extends string>(answer: Begun | null, method: Method) {
  if (!answer?.ok || answer.method !== method) throw new Error(`not begun: ${JSON.stringify(answer)}`);
  return answer as Extract<Begun, { ok: true; method: Method }>;
}
const parametersOf = (url: string) => new URL(url).searchParams;

async function trade(logins: Record<string, object>, change: (back: URLSearchParams) => void = () => {}) {
  const endpoints = endpointsFor(logins);
  const first = begun(await endpoints.begin("zai", { uri: URI, state: "the-state" }), "redirect");
  const parameters = parametersOf(vendor.approve(first.url));
  change(parameters);
  return await endpoints.exchange("zai", { uri: URI, parameters }, first.pending);
}

describe("a redirect login", () => {
  it("sends the browser with PKCE, state and scopes, and keeps the operator's own parameters", async () => {
    const first = begun(await endpointsFor({ zai: redirectAt() }).begin("zai", { uri: URI, state: "s" }), "redirect");
    const asked = Object.fromEntries(parametersOf(first.url));
    expect(asked).toMatchObject({
      audience: "api",
      client_id: "mosaic",
      redirect_uri: URI,
      response_type: "code",
      scope: "models offline",
      state: "s",
      code_challenge_method: "S256",
    });
    expect(first.url).not.toContain(first.pending.verifier);
    expect(first.pending.verifier).toMatch(/^[\w-]{43}$/);
  });

  it("trades the code for tokens, once, and reads no id token", async () => {
    expect(await trade({ zai: redirectAt() })).toMatchObject({
      ok: true,
      secret: { oauth: { expiresAtMs: NOW + 3_600_000, accessToken: expect.stringMatching(/^access-/) } },
    });
    expect(vendor.asked.at(-1)?.body).toMatchObject({ client_id: "mosaic", redirect_uri: URI });
  });

  it("shows its secret as the operator says", async () => {
    await trade({ zai: { ...redirectAt(), clientSecret: "hush" } });
    expect(vendor.asked.at(-1)?.body.client_secret).toBe("hush");
    await trade({ zai: { ...redirectAt(), clientSecret: "hush", clientAuthentication: "basic" } });
    expect(vendor.asked.at(-1)?.authorization).toBe(`Basic ${btoa("mosaic:hush")}`);
    expect(vendor.asked.at(-1)?.body.client_secret).toBeUndefined();
  });

  it("takes tokens without a named end for an hour's, where they can be renewed", async () => {
    const endpoints = endpointsFor({ zai: redirectAt() });
    const answer = (more: object) => {
      const body = JSON.stringify({ access_token: "a", token_type: "bearer", ...more });
      vendor.next((response) => response.writeHead(200, { "content-type": "application/json" }).end(body));
    };
    const expiresAtMs = NOW + 3_600_000;
    answer({ refresh_token: "r" });
    expect(await trade({ zai: redirectAt() })).toMatchObject({ secret: { oauth: { expiresAtMs } } });
    answer({});
    expect(await trade({ zai: redirectAt() })).toEqual({ ok: true, secret: { oauth: { accessToken: "a" } } });
    answer({});
    expect(await endpoints.refresh("zai", { accessToken: "a", refreshToken: "r" })).toMatchObject({
      secret: { oauth: { expiresAtMs } },
    });
  });

  it("takes no code that somebody else was given", async () => {
    const answer = await trade({ zai: redirectAt() }, (back) => back.set("code", "injected"));
    expect(answer).toMatchObject({ ok: false, why: "refused" });
  });

  it("believes an issuer by its name where the settings know it, and asks it for its addresses once", async () => {
    const logins = { zai: { clientId: "mosaic", clientAuthentication: "post", issuer: issuer.issuer.url } };
    const endpoints = endpointsFor(logins);
    const first = begun(await endpoints.begin("zai", { uri: URI, state: "s" }), "redirect");
    expect(first.url.startsWith(`${issuer.issuer.url}/authorize`)).toBe(true);
    const back = async () => {
      const response = await fetch(first.url, { redirect: "manual" });
      return parametersOf(response.headers.get("location") ?? "");
    };
    const mixedUp = await back();
    mixedUp.set("iss", "https://other.example");
    expect(await endpoints.exchange("zai", { uri: URI, parameters: mixedUp }, first.pending)).toMatchObject({
      ok: false,
    });
    const parameters = await back();
    expect(await endpoints.exchange("zai", { uri: URI, parameters }, first.pending)).toMatchObject({ ok: true });
  });

  it("refreshes at the issuer, and keeps the refresh token where no other comes", async () => {
    const endpoints = endpointsFor({
      zai: { clientId: "mosaic", clientAuthentication: "post", issuer: issuer.issuer.url },
    });
    const refreshed = await endpoints.refresh("zai", { accessToken: "old", refreshToken: "r" });
    expect(refreshed).toMatchObject({ ok: true, secret: { oauth: { refreshToken: expect.any(String) } } });
    issuer.service.on("beforeResponse", (response) => {
      if (response.body && typeof response.body === "object") Reflect.deleteProperty(response.body, "refresh_token");
    });
    const kept = await endpoints.refresh("zai", { accessToken: "old", refreshToken: "r" });
    expect(kept.ok && kept.secret.oauth?.refreshToken).toBeUndefined();
  });
});

describe("a vendor that answers badly", () => {
  it.each(Object.entries(MISBEHAVIOURS))("with %s: one sentence, and another try may do", async (_what, misbehave) => {
    vendor.next(misbehave);
    const answer = await trade({ zai: redirectAt() });
    expect(answer).toMatchObject({ ok: false, why: "unavailable" });
    expect(!answer.ok && answer.message).toMatch(/^Z\.ai's login [^<\n]{5,200}\.$/);
  });

  it("with a redirect: it is not followed, and no code leaves for there", async () => {
    vendor.next((response) => response.writeHead(307, { location: `${vendor.url}/elsewhere?x=1` }).end());
    const answer = await trade({ zai: redirectAt() });
    expect(answer).toMatchObject({ ok: false, why: "misconfigured", message: expect.stringContaining(vendor.url) });
    expect(vendor.count("/elsewhere")).toBe(0);
    expect(!answer.ok && answer.message).not.toContain("x=1");
  });

  it("with a redirect whose host repeats what it was sent: the sentence does not", async () => {
    vendor.next((response, { body }) => {
      const host = `${body.code}.evil.example`;
      response.writeHead(307, { location: `https://${host}/` }).end();
    });
    const answer = await trade({ zai: redirectAt() });
    expect(answer).toMatchObject({ ok: false, message: expect.stringContaining("redirect to another address") });
  });

  it.each([
    [400, { error: "invalid_client" }, "misconfigured"],
    [401, { error: "invalid_client" }, "misconfigured"],
    [200, { error: "invalid_grant" }, "refused"],
    [401, { error: { code: "refresh_token_reused", message: "again" } }, "refused"],
    [400, { error: "temporarily_unavailable" }, "unavailable"],
    [404, "<html>", "misconfigured"],
  ] as const)("with %s %j: %s", async (status, body, why) => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    vendor.next((response) => response.writeHead(status, { "www-authenticate": "Bearer" }).end(text));
    expect(await trade({ zai: redirectAt() })).toMatchObject({ ok: false, why });
  });

  it("repeats none of our secrets, and nothing that looks like one", async () => {
    vendor.next((response, { body }) =>
      response.writeHead(400).end(
        JSON.stringify({
          error: "invalid_grant",
          error_description: `bad\ncode ${body.code} ${body.code_verifier} <b>`,
        }),
      ),
    );
    const answer = await trade({ zai: redirectAt() });
    const { code = "none", code_verifier: verifier = "none" } = vendor.asked.at(-1)?.body ?? {};
    const sentence = answer.ok ? "" : answer.message;
    expect(sentence).toContain("bad code [hidden] [hidden] <b>");
    expect(sentence).not.toContain(code);
    expect(sentence).not.toContain(verifier);
  });

  it("is given ten seconds, and no more", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const slow = createLoginEndpoints({
        logins: ProviderLoginSettings.parse(JSON.stringify({ zai: redirectAt() })),
        fetch: (_url, { signal }) =>
          new Promise((_resolve, reject) => signal?.addEventListener("abort", () => reject(signal.reason))),
        now: () => new Date(NOW),
      });
      const asking = slow.refresh("zai", { accessToken: "a", refreshToken: "r" });
      await vi.advanceTimersByTimeAsync(10_000);
      const message = "Z.ai's login did not answer in time; try again in a moment.";
      expect(await asking).toMatchObject({ why: "unavailable", message });
    } finally {
      vi.useRealTimers();
    }
  });

  it("is never followed anywhere, on any of the ways to it", async () => {
    const seen: RequestInit[] = [];
    const endpoints = endpointsFor({ zai: redirectAt() }, seen);
    await endpoints.refresh("zai", { accessToken: "a", refreshToken: "r" });
    await endpoints.revoke("zai", { accessToken: "a", refreshToken: "r" });
    expect(seen.length).toBe(3);
    expect(seen.every(({ redirect, signal }) => redirect === "manual" && signal)).toBe(true);
  });
});

describe("OpenRouter's login", () => {
  const logins = () => ({ openrouter: { authorizationUrl: `${vendor.url}/auth`, tokenUrl: `${vendor.url}/keys` } });
  const uri = "https://mosaic.example/api/providers/openrouter/callback";

  it("is there without any settings, at openrouter.ai", async () => {
    const endpoints = endpointsFor({});
    expect(endpoints.kinds()).toEqual([{ kind: "openrouter", method: "redirect" }]);
    const first = begun(await endpoints.begin("openrouter", { uri, state: "s" }), "redirect");
    expect(first.url.startsWith("https://openrouter.ai/auth?")).toBe(true);
    expect(parametersOf(first.url).get("callback_url")).toBe(`${uri}?state=s`);
    expect(await endpoints.begin("anthropic", { uri, state: "s" })).toBeNull();
  });

  it("ends in a key, for the verifier alone", async () => {
    const endpoints = endpointsFor(logins());
    const first = begun(await endpoints.begin("openrouter", { uri, state: "s" }), "redirect");
    const parameters = parametersOf(vendor.approve(first.url));
    expect(parameters.get("state")).toBe("s");
    const wrong: PendingLogin = { verifier: "w".repeat(43) };
    expect(await endpoints.exchange("openrouter", { uri, parameters }, wrong)).toMatchObject({
      ok: false,
      why: "refused",
    });
    const again = parametersOf(vendor.approve(first.url));
    expect(await endpoints.exchange("openrouter", { uri, parameters: again }, first.pending)).toMatchObject({
      ok: true,
      secret: { apiKey: expect.stringMatching(/^sk-or-/) },
    });
  });

  it.each(Object.entries(MISBEHAVIOURS))("takes %s for no key", async (_what, misbehave) => {
    const endpoints = endpointsFor(logins());
    const first = begun(await endpoints.begin("openrouter", { uri, state: "s" }), "redirect");
    vendor.next(misbehave);
    const parameters = parametersOf(vendor.approve(first.url));
    expect(await endpoints.exchange("openrouter", { uri, parameters }, first.pending)).toMatchObject({ ok: false });
  });
});

describe("a device login", () => {
  const logins = () => ({ zai: { ...redirectAt(), method: "device", deviceUrl: `${vendor.url}/device` } });

  it("shows a code and waits for its approval", async () => {
    const endpoints = endpointsFor(logins());
    const first = begun(await endpoints.begin("zai", { uri: URI, state: "unused" }), "device");
    expect(first).toMatchObject({
      userCode: "ABCD-EFGH",
      url: `${vendor.url}/activate`,
      expiresInMs: 600_000,
      intervalSeconds: 5,
    });
    expect(await endpoints.poll("zai", first.pending)).toMatchObject({ ok: false, why: "pending" });
    vendor.device = "approved";
    expect(await endpoints.poll("zai", first.pending)).toMatchObject({ ok: true, secret: { oauth: {} } });
  });

  it("sends nobody to an address that is none", async () => {
    for (const uri of ["javascript:alert(1)", "http://activate.example", "nowhere"]) {
      const body = { device_code: "d", user_code: "u", verification_uri: uri, expires_in: 600 };
      vendor.next((response) =>
        response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body)),
      );
      const begun = await endpointsFor(logins()).begin("zai", { uri: URI, state: "s" });
      expect(begun).toMatchObject({ ok: false, why: "misconfigured" });
    }
  });

  it.each([
    ["slow_down", "slow-down"],
    ["access_denied", "refused"],
    ["expired_token", "expired"],
  ] as const)("knows %s", async (says, why) => {
    vendor.device = says;
    expect(await endpointsFor(logins()).poll("zai", { deviceCode: "d" })).toMatchObject({ ok: false, why });
  });

  it.each(Object.entries(MISBEHAVIOURS))("neither begins nor ends with %s", async (_what, misbehave) => {
    const endpoints = endpointsFor(logins());
    vendor.next(misbehave, misbehave);
    expect(await endpoints.begin("zai", { uri: URI, state: "s" })).toMatchObject({ ok: false, why: "unavailable" });
    expect(await endpoints.poll("zai", { deviceCode: "d" })).toMatchObject({ ok: false, why: "unavailable" });
  });

  it("at OpenAI, in its own shape, with the operator's client id", async () => {
    const deps = {
      kind: "openai",
      vendor: "OpenAI",
      fetch: (url: string, init: RequestInit) => fetch(url, init),
      now: () => NOW,
    } as const;
    const flow = createOpenAiDeviceFlow({ clientId: "mosaic-app", clientAuthentication: "post" }, deps, vendor.url);
    const first = begun(await flow.begin({ uri: URI, state: "s" }), "device");
    expect(first).toMatchObject({ userCode: "WXYZ-1234", intervalSeconds: 5 });
    expect(vendor.asked[0]?.body).toEqual({ client_id: "mosaic-app" });
    expect(await flow.poll(first.pending)).toMatchObject({ ok: false, why: "pending" });
    vendor.next((response) => response.writeHead(403).end("<html>"));
    expect(await flow.poll(first.pending)).toMatchObject({ ok: false, why: "pending" });
    vendor.device = "approved";
    const tokens = await flow.poll(first.pending);
    expect(tokens).toMatchObject({ ok: true, secret: { oauth: { expiresAtMs: NOW + 3_600_000 } } });
    expect(
      await flow.refresh(tokens.ok && tokens.secret.oauth ? tokens.secret.oauth : { accessToken: "" }),
    ).toMatchObject({ ok: true });
    expect(vendor.asked.every(({ authorization }) => authorization === undefined)).toBe(true);
  });
});

describe("revocation", () => {
  it("takes back both tokens, and says whether there is more to tell", async () => {
    const endpoints = endpointsFor({ zai: redirectAt() });
    const tokens = vendor.grant();
    expect(await endpoints.revoke("zai", tokens)).toBe(true);
    expect(vendor.live.has(tokens.refreshToken)).toBe(false);
    expect(vendor.count("/revoke")).toBe(2);
    vendor.next((response) => response.writeHead(503).end());
    expect(await endpoints.revoke("zai", tokens)).toBe(false);
    vendor.next((response) => response.writeHead(400).end('{"error": "unsupported_token_type"}'));
    expect(await endpoints.revoke("zai", tokens)).toBe(true);
    vendor.next(
      (response) => response.writeHead(200).end("OK"),
      (response) => response.writeHead(200).end(),
    );
    expect(await endpoints.revoke("zai", tokens)).toBe(true);
  });
});
