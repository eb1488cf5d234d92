import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { StartLogin } from "../../contract/provider.ts";
import { AppError } from "../../domain/app-error.ts";
import type { ProviderRecord } from "../../domain/providers/provider-record.ts";
import { bindingOf } from "../../ports/credential-vault.ts";
import { openRooms, type Rooms } from "../../testing/postgres/suite/people.ts";
import { makeHouse, newProvider, vault, withCode } from "../../testing/postgres/suite/provider-people.ts";
import { startTestDatabase, type TestDatabase } from "../../testing/postgres/test-database.ts";
import { loginHouse, ORIGIN, starterOf } from "../../testing/provider-logins/login-house.ts";
import { LoginVendor, MISBEHAVIOURS } from "../../testing/provider-logins/login-vendor.ts";

vi.setConfig({ testTimeout: 30_000 });

let database: TestDatabase;
let rooms: Rooms;
let vendor: LoginVendor;
let people: Awaited<ReturnType<typeof makeHouse>>;
beforeAll(async () => {
  database = await startTestDatabase();
  rooms = openRooms(database);
  vendor = await new LoginVendor().start();
  people = await makeHouse(rooms);
}, 60_000);
afterAll(async () => {
  await vendor.stop();
  await database.stop();
});
beforeEach(() => {
  vendor.asked.length = 0;
  vendor.device = "authorization_pending";
});

const WISH = StartLogin.parse({});
const callback = (kind: string, query = "") => `${ORIGIN}/api/providers/${kind}/callback${query}`;

/** A login of Ann's that the vendor's page has agreed to. */
async function agreed(house: ReturnType<typeof loginHouse>, kind: "openrouter" | "zai", wish = WISH) {
  const started = await house.logins.start(starterOf(people.ann), kind, wish);
  return { ...started, back: vendor.approve(started.url) };
}

async function secretOf({ credential, ...record }: ProviderRecord) {
  return await vault.open(credential?.sealed ?? "", bindingOf(record));
}

const trades = () => vendor.count("/token", "authorization_code") + vendor.count("/keys");

describe("a login by redirect", () => {
  it("makes an instance of the starter's own, with a key that nobody sees", async () => {
    const house = loginHouse(rooms, vendor);
    const { loginId, back, method } = await agreed(house, "openrouter", StartLogin.parse({ displayName: "My router" }));
    expect(method).toBe("redirect");
    expect(await house.logins.find(people.ann, loginId)).toMatchObject({ state: "pending", providerId: null });
    const done = await house.logins.finishByState(people.ann, "openrouter", back);
    expect(done).toMatchObject({ loginId, state: "complete", providerId: expect.any(String) });
    const stored = await house.providers.find(people.ann, done?.providerId ?? "");
    expect(stored?.record).toMatchObject({
      kind: "openrouter",
      displayName: "My router",
      scope: "user",
      baseUrl: null,
    });
    expect(stored?.record.credential).toMatchObject({ method: "api-key", expiresAtMs: null });
    expect(stored && (await secretOf(stored.record)).apiKey).toMatch(/^sk-or-/);
    expect(stored?.hints.credential).toMatch(/^….{4}$/);
    expect(await house.providers.find(people.bob, done?.providerId ?? "")).toBeNull();
  });

  it("ends by a pasted address as well, and keeps tokens with their end", async () => {
    const house = loginHouse(rooms, vendor);
    const { loginId, back } = await agreed(house, "zai");
    const done = await house.logins.finish(people.ann, loginId, {
      url: ` <${back.slice(0, 60)}\n  ${back.slice(60)}> `,
    });
    expect(done).toMatchObject({ state: "complete" });
    const stored = await house.providers.find(people.ann, done?.providerId ?? "");
    expect(stored?.record.credential).toMatchObject({ method: "oauth", expiresAtMs: house.clock.nowMs + 3_600_000 });
    expect(stored?.hints.credential).toBeNull();
    expect(stored && (await secretOf(stored.record)).oauth?.refreshToken).toMatch(/^refresh-/);
  });

  it("works once: whoever comes again sees how it ended, and the vendor hears of one code", async () => {
    const house = loginHouse(rooms, vendor);
    const { loginId, back } = await agreed(house, "zai");
    const answers = await Promise.all([
      house.logins.finishByState(people.ann, "zai", back),
      house.logins.finish(people.ann, loginId, { url: back }),
      house.logins.finishByState(people.ann, "zai", back),
    ]);
    expect(answers.filter((each) => each?.state === "complete")).toHaveLength(1);
    expect(await house.logins.finishByState(people.ann, "zai", back)).toMatchObject({ state: "complete" });
    expect(trades()).toBe(1);
  });

  it("belongs to its starter alone, whoever holds the address", async () => {
    const house = loginHouse(rooms, vendor);
    const { loginId, back } = await agreed(house, "zai");
    for (const other of [people.bob, people.mia]) {
      expect(await house.logins.find(other, loginId)).toBeNull();
      expect(await house.logins.finish(other, loginId, { url: back })).toBeNull();
      expect(await house.logins.finishByState(other, "zai", back)).toBeNull();
    }
    expect(trades()).toBe(0);
    expect(await house.logins.find(people.ann, loginId)).toMatchObject({ state: "pending" });
  });

  it("takes the state of this login only, and of this vendor", async () => {
    const house = loginHouse(rooms, vendor);
    const [one, two] = [await agreed(house, "zai"), await agreed(house, "openrouter")];
    const mixed = one.back.replace("/zai/", "/openrouter/");
    expect(await house.logins.finishByState(people.ann, "openrouter", mixed)).toBeNull();
    const forged = one.back.replace(/state=[^&]+/, "state=guessed");
    expect(await house.logins.finishByState(people.ann, "zai", forged)).toBeNull();
    await expect(house.logins.finish(people.ann, one.loginId, { url: forged })).rejects.toThrow(
      withCode("invalid_request"),
    );
    await expect(house.logins.finish(people.ann, two.loginId, { url: one.back })).rejects.toThrow(
      withCode("invalid_request"),
    );
    expect(trades()).toBe(0);
    expect(await house.logins.find(people.ann, one.loginId)).toMatchObject({ state: "pending" });
  });

  it("takes no code that was made for another login: the verifier does not fit", async () => {
    const house = loginHouse(rooms, vendor);
    const [mine, others] = [await agreed(house, "zai"), await agreed(house, "zai")];
    const code = new URL(others.back).searchParams.get("code") ?? "";
    const injected = mine.back.replace(/code=[^&]+/, `code=${code}`);
    const failed = await house.logins.finishByState(people.ann, "zai", injected);
    expect(failed).toMatchObject({ state: "failed", providerId: null, error: expect.stringContaining("log in again") });
  });

  it("says in one sentence that it was denied", async () => {
    const house = loginHouse(rooms, vendor);
    const { url } = await agreed(house, "zai");
    const state = new URL(url).searchParams.get("state");
    const denied = callback("zai", `?error=access_denied&error_description=%3Cb%3ENo%3C%2Fb%3E%0Anever&state=${state}`);
    expect(await house.logins.finishByState(people.ann, "zai", denied)).toMatchObject({
      state: "failed",
      error: "Z.ai refused this login (access_denied: <b>No</b> never); log in again.",
    });
    expect(trades()).toBe(0);
  });

  it("is over after fifteen minutes", async () => {
    const house = loginHouse(rooms, vendor);
    const { loginId, back, expiresAt } = await agreed(house, "zai");
    expect(Date.parse(expiresAt)).toBe(house.clock.nowMs + 900_000);
    house.clock.nowMs += 900_000;
    expect(await house.logins.finishByState(people.ann, "zai", back)).toMatchObject({ state: "failed" });
    expect(await house.logins.find(people.ann, loginId)).toMatchObject({
      state: "failed",
      error: "The time for this login is over; start it again.",
    });
    expect(trades()).toBe(0);
  });

  it("may be tried again with the same address while the vendor is away", async () => {
    const house = loginHouse(rooms, vendor);
    const { back } = await agreed(house, "zai");
    vendor.next((response) => response.writeHead(503).end());
    await expect(house.logins.finishByState(people.ann, "zai", back)).rejects.toThrow(withCode("provider_unavailable"));
    house.clock.nowMs += 12_000;
    expect(await house.logins.finishByState(people.ann, "zai", back)).toMatchObject({ state: "complete" });
  });

  it.each(Object.keys(MISBEHAVIOURS))("does not complete with %s", async (what) => {
    const house = loginHouse(rooms, vendor);
    const { back } = await agreed(house, "openrouter");
    vendor.next(MISBEHAVIOURS[what] ?? (() => {}));
    await expect(house.logins.finishByState(people.ann, "openrouter", back)).rejects.toThrow(
      withCode("provider_unavailable"),
    );
  });
});

describe("a login by device", () => {
  it("asks the vendor no more often than it allows, and more slowly once told so", async () => {
    const house = loginHouse(rooms, vendor);
    const polls = () => vendor.asked.filter(({ body }) => body.device_code !== undefined).length;
    const started = await house.logins.start(starterOf(people.ann), "openai", WISH);
    expect(started).toMatchObject({ method: "device", userCode: "ABCD-EFGH", url: `${vendor.url}/activate` });
    const look = () => house.logins.find(people.ann, started.loginId);
    expect(await look()).toMatchObject({ state: "pending" });
    expect(polls()).toBe(0);
    house.clock.nowMs += 5_000;
    await Promise.all([look(), look(), look()]);
    expect(polls()).toBe(1);
    vendor.device = "slow_down";
    house.clock.nowMs += 5_000;
    await look();
    house.clock.nowMs += 5_000;
    await look();
    expect(polls()).toBe(2);
    vendor.device = "authorization_pending";
    house.clock.nowMs += 5_000;
    await look();
    house.clock.nowMs += 9_000;
    await look();
    expect(polls()).toBe(3);
    vendor.device = "approved";
    house.clock.nowMs += 1_000;
    expect(await look()).toMatchObject({ state: "complete", providerId: expect.any(String) });
    expect(await look()).toMatchObject({ state: "complete" });
    expect(polls()).toBe(4);
  });

  it.each([
    ["access_denied", "refused this login"],
    ["expired_token", "The time for this login"],
  ] as const)("ends with a sentence on %s", async (says, sentence) => {
    const house = loginHouse(rooms, vendor);
    const { loginId } = await house.logins.start(starterOf(people.ann), "openai", WISH);
    vendor.device = says;
    house.clock.nowMs += 5_000;
    expect(await house.logins.find(people.ann, loginId)).toMatchObject({
      state: "failed",
      error: expect.stringContaining(sentence),
    });
  });

  it("goes on when the vendor is away for a poll, has nothing to paste, and is nobody else's", async () => {
    const house = loginHouse(rooms, vendor);
    const { loginId } = await house.logins.start(starterOf(people.ann), "openai", WISH);
    house.clock.nowMs += 5_000;
    vendor.next((response) => response.destroy());
    expect(await house.logins.find(people.ann, loginId)).toMatchObject({ state: "pending" });
    const url = callback("openai", "?code=c&state=s");
    await expect(house.logins.finish(people.ann, loginId, { url })).rejects.toThrow(withCode("invalid_request"));
    vendor.device = "approved";
    house.clock.nowMs += 5_000;
    expect(await house.logins.find(people.bob, loginId)).toBeNull();
    expect(await house.logins.find(people.ann, loginId)).toMatchObject({ state: "complete" });
  });
});

describe("who may log in to what", () => {
  it("says what an operator can set for a vendor without a login", async () => {
    const { logins } = loginHouse(rooms, vendor);
    await expect(logins.start(starterOf(people.ann), "anthropic", WISH)).rejects.toThrow(
      'Logging in at Anthropic is not set up on mosaic.example: give an API key instead, or have the operator set PROVIDER_LOGINS to {"anthropic": {"clientId", "authorizationUrl", "tokenUrl"}}.',
    );
    expect(
      logins
        .kinds()
        .map(({ kind }) => kind)
        .sort(),
    ).toEqual(["openai", "openrouter", "zai"]);
  });

  it("asks for the role before it sends anyone to a vendor", async () => {
    const { logins } = loginHouse(rooms, vendor);
    const member = starterOf(people.mia, { workspaces: [{ id: people.team, role: "member" }] });
    const inTeam = StartLogin.parse({ scope: "workspace", workspaceId: people.team });
    await expect(logins.start(member, "zai", inTeam)).rejects.toThrow(withCode("forbidden"));
    await expect(logins.start(starterOf(people.bob), "zai", inTeam)).rejects.toThrow(withCode("not_found"));
    await expect(logins.start(starterOf(people.ann), "zai", StartLogin.parse({ scope: "system" }))).rejects.toThrow(
      withCode("forbidden"),
    );
    expect(vendor.asked).toEqual([]);
  });

  it("connects for a workspace on behalf of its owner", async () => {
    const house = loginHouse(rooms, vendor);
    const owner = starterOf(people.ann, { workspaces: [{ id: people.team, role: "owner" }] });
    const wish = StartLogin.parse({ scope: "workspace", workspaceId: people.team });
    const started = await house.logins.start(owner, "zai", wish);
    const done = await house.logins.finishByState(people.ann, "zai", vendor.approve(started.url));
    const seen = await house.providers.find(people.mia, done?.providerId ?? "");
    expect(seen?.record).toMatchObject({ scope: "workspace", workspaceId: people.team });
  });
});

describe("a login that renews an instance", () => {
  const renewing = (providerId: string) => StartLogin.parse({ providerId });

  it("replaces its credential under a new id, and has the old one revoked", async () => {
    const house = loginHouse(rooms, vendor);
    const first = await agreed(house, "zai");
    const made = await house.logins.finishByState(people.ann, "zai", first.back);
    const before = await house.providers.find(people.ann, made?.providerId ?? "");
    const second = await agreed(house, "zai", renewing(made?.providerId ?? ""));
    const done = await house.logins.finishByState(people.ann, "zai", second.back);
    expect(done).toMatchObject({ state: "complete", providerId: made?.providerId });
    const after = await house.providers.find(people.ann, made?.providerId ?? "");
    expect(after?.record.credential?.id).toBe(second.loginId);
    expect(house.revoked.map(({ credential }) => credential?.id)).toEqual([before?.record.credential?.id]);
  });

  it("keeps the headers of the gateway in front of it", async () => {
    const house = loginHouse(rooms, vendor);
    const secret = { apiKey: "old-key-old-key", headers: { "x-gateway-secret": "kept-as-it-was" } };
    const given = await newProvider(people.ann, { kind: "zai" }, { secret });
    const { record } = await house.providers.create(people.ann, given);
    const { back } = await agreed(house, "zai", renewing(record.id));
    expect(await house.logins.finishByState(people.ann, "zai", back)).toMatchObject({ state: "complete" });
    const after = await house.providers.find(people.ann, record.id);
    expect(after && (await secretOf(after.record))).toMatchObject({ headers: secret.headers, oauth: {} });
    expect(after && (await secretOf(after.record)).apiKey).toBeUndefined();
  });

  it("sends no token to another address, to another kind, or to somebody else's instance", async () => {
    const house = loginHouse(rooms, vendor);
    const make = async (more: Partial<ProviderRecord>) =>
      (await house.providers.create(people.ann, await newProvider(people.ann, more))).record.id;
    const elsewhere = await make({ kind: "zai", baseUrl: "https://evil.example/v1" });
    const start = (who: typeof people.ann, id: string) => house.logins.start(starterOf(who), "zai", renewing(id));
    await expect(start(people.ann, elsewhere)).rejects.toThrow(withCode("invalid_request"));
    await expect(start(people.ann, await make({ kind: "anthropic" }))).rejects.toThrow(withCode("invalid_request"));
    await expect(start(people.bob, await make({ kind: "zai" }))).rejects.toThrow(withCode("not_found"));
  });

  it("gives the tokens back when the instance is gone meanwhile", async () => {
    const house = loginHouse(rooms, vendor);
    const { record } = await house.providers.create(people.ann, await newProvider(people.ann, { kind: "zai" }));
    const { back } = await agreed(house, "zai", renewing(record.id));
    await house.providers.remove(people.ann, record.id);
    const live = vendor.live.size;
    expect(await house.logins.finishByState(people.ann, "zai", back)).toMatchObject({ state: "failed" });
    expect(vendor.live.size).toBe(live);
  });
});

describe("a login that is cut off", () => {
  const away = () => Promise.reject(new AppError("database_unavailable", "away"));

  it("stores what it got although Postgres hiccups", async () => {
    const real = loginHouse(rooms, vendor);
    let hiccups = 2;
    const create: typeof real.providers.create = (...given) =>
      hiccups-- > 0 ? away() : real.providers.create(...given);
    const house = loginHouse(rooms, vendor, { providers: { ...real.providers, create } });
    const { back } = await agreed(house, "zai");
    expect(await house.logins.finishByState(people.ann, "zai", back)).toMatchObject({ state: "complete" });
  });

  it("leaves nothing alive at the vendor that it could not store", async () => {
    const real = loginHouse(rooms, vendor);
    const house = loginHouse(rooms, vendor, { providers: { ...real.providers, create: away } });
    const { back } = await agreed(house, "zai");
    const live = vendor.live.size;
    await expect(house.logins.finishByState(people.ann, "zai", back)).rejects.toThrow(withCode("database_unavailable"));
    expect(vendor.live.size).toBe(live);
  });

  it("is complete for the next try when it died after storing, and makes no second instance", async () => {
    const real = loginHouse(rooms, vendor);
    const dying = loginHouse(rooms, vendor, { store: { ...real.deps.store, settle: away } });
    const { loginId, back } = await agreed(dying, "zai");
    await expect(dying.logins.finishByState(people.ann, "zai", back)).rejects.toThrow(withCode("database_unavailable"));
    real.clock.nowMs = dying.clock.nowMs + 12_000;
    const before = (await real.providers.list(people.ann)).length;
    expect(await real.logins.finishByState(people.ann, "zai", back)).toMatchObject({ loginId, state: "complete" });
    expect((await real.providers.list(people.ann)).length).toBe(before);
    expect(trades()).toBe(1);
  });
});

describe("secrets of logins", () => {
  it("stand in no row in the clear: state, verifier, code, device code, tokens, keys", async () => {
    const house = loginHouse(rooms, vendor);
    const secrets: string[] = ["device-code-1"];
    for (const kind of ["zai", "openrouter"] as const) {
      const { url, back } = await agreed(house, kind);
      await house.logins.finishByState(people.ann, kind, back);
      secrets.push(...["code", "state"].map((name) => new URL(back).searchParams.get(name) ?? ""));
      expect(url).not.toContain(secrets.at(-2) ?? "");
    }
    await house.logins.start(starterOf(people.ann), "openai", WISH);
    for (const { body } of vendor.asked) secrets.push(...[body.code_verifier ?? ""].filter(Boolean));
    secrets.push(...vendor.live, ...(vendor.live.size > 0 ? ["sk-or-", "access-", "refresh-"] : []));
    const tables = ["provider_logins", "provider_instances", "provider_credentials"];
    const rows = await Promise.all(tables.map((table) => rooms.owner.query(`select * from ${table}`)));
    const text = JSON.stringify(rows);
    expect(secrets.length).toBeGreaterThan(8);
    for (const secret of secrets) expect(text).not.toContain(secret);
  });
});
