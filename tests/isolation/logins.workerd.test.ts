import { env } from "cloudflare:workers";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import * as z from "zod";
import { servicesFor } from "../../durable-objects/services-for.ts";
import { type Bindings, providerLoginObject } from "../../durable-objects/stubs.ts";
import { ProviderLogin, StartedLogin } from "../../shared/contract/provider.ts";
import { bindingOf } from "../../shared/ports/credential-vault.ts";
import { type Account, anAccount, ask, expectNoSecretTold, keepToken, ORIGIN } from "./real-house.ts";

const bindings = env as unknown as Bindings;
const Asked = z.array(z.object({ path: z.string(), body: z.record(z.string(), z.string()) }));

let ann: Account;
let bob: Account;
beforeAll(async () => {
  [ann, bob] = [await anAccount("ann"), await anAccount("bob")];
}, 60_000);
// Codes and tokens are told to nobody, not even to whom they stand for.
afterAll(expectNoSecretTold);
const NOBODY = { email: "" };

async function begin(kind: "zai" | "openrouter") {
  const answer = await ask(`/api/providers/${kind}/login`, { method: "POST", headers: ann.bearer });
  expect(answer.status).toBe(201);
  const started = StartedLogin.parse(answer.json);
  const page = await fetch(started.url, { redirect: "manual" });
  const back = new URL(page.headers.get("location") ?? "");
  expect(back.origin).toBe(ORIGIN);
  keepToken(z.string().parse(back.searchParams.get("code")), NOBODY);
  return { ...started, back: `${back.pathname}${back.search}` };
}

const look = async (loginId: string, as: Account) =>
  await ask(`/api/providers/logins/${loginId}`, { headers: as.bearer });

async function vendorWasAsked(path: string, grant?: string): Promise<number> {
  const response = await fetch(`${inject("loginVendorUrl")}/asked`);
  const asked = Asked.parse(await response.json());
  return asked.filter((each) => each.path === path && (grant === undefined || each.body.grant_type === grant)).length;
}

describe("logging in at a vendor, through the whole Worker", () => {
  it("connects OpenRouter in the starter's browser, and nothing in anybody else's", async () => {
    const { loginId, back } = await begin("openrouter");
    for (const headers of [{}, { cookie: bob.cookie }]) {
      expect((await ask(back, { headers })).text).toContain("One more step");
    }
    expect((await look(loginId, bob)).status).toBe(404);
    expect((await look(loginId, ann)).json).toMatchObject({ state: "pending" });
    expect((await ask(back, { headers: { cookie: ann.cookie } })).text).toContain("You can close this window");
    const { providerId } = ProviderLogin.parse((await look(loginId, ann)).json);
    const made = await ask(`/api/providers/${providerId}`, { headers: ann.bearer });
    expect(made.json).toMatchObject({ kind: "openrouter", credential: { configured: true, method: "api-key" } });
    expect((await ask(`/api/providers/${providerId}`, { headers: bob.bearer })).status).toBe(404);
  });

  it("keeps tokens fresh for many turns with one refresh each time, and Postgres with the last of them", async () => {
    const { loginId, back } = await begin("zai");
    const pasted = { method: "POST", body: { url: `${ORIGIN}${back}` } };
    const path = `/api/providers/logins/${loginId}/redirect`;
    expect((await ask(path, { ...pasted, headers: bob.bearer })).status).toBe(404);
    const { state, providerId } = ProviderLogin.parse((await ask(path, { ...pasted, headers: ann.bearer })).json);
    expect(state).toBe("complete");
    const { logins, providerStore, vault } = servicesFor(bindings);
    const scope = { userId: ann.id };
    const find = async () => (await providerStore.find(scope, providerId ?? ""))?.record;
    const record = await find();
    if (!record) throw new Error("nothing was stored");
    const { oauth } = await vault.open(record.credential?.sealed ?? "", bindingOf(record));
    keepToken(z.string().parse(oauth?.accessToken), NOBODY);
    keepToken(z.string().parse(oauth?.refreshToken), NOBODY);
    const before = await vendorWasAsked("/short/token", "refresh_token");
    const fresh = await Promise.all(Array.from({ length: 20 }, () => logins.fresh(record)));
    expect(new Set(fresh.map(({ sealed }) => sealed)).size).toBe(1);
    expect(await vendorWasAsked("/short/token", "refresh_token")).toBe(before + 1);
    await expect.poll(async () => (await find())?.credential?.version).toBe(2);
    expect((await find())?.credential?.sealed).toBe(fresh[0]?.sealed);
  });

  it("tells the vendor when the instance is removed, and hands the tokens to nobody after that", async () => {
    const { loginId, back } = await begin("zai");
    await ask(back, { headers: { cookie: ann.cookie } });
    const { providerId } = ProviderLogin.parse((await look(loginId, ann)).json);
    const { providerStore } = servicesFor(bindings);
    const record = (await providerStore.find({ userId: ann.id }, providerId ?? ""))?.record;
    if (!record) throw new Error("nothing was stored");
    const revoked = await vendorWasAsked("/revoke");
    expect((await ask(`/api/providers/${providerId}`, { method: "DELETE", headers: ann.bearer })).status).toBe(204);
    await expect.poll(() => vendorWasAsked("/revoke")).toBe(revoked + 2);
    expect(await providerLoginObject(bindings, record.credential?.id ?? "").fresh(record)).toEqual({
      ok: false,
      why: "ended",
    });
  });
});
