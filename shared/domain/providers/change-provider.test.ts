import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CreateProvider, UpdateProvider } from "../../contract/provider.ts";
import { aPrincipal, testId } from "../../testing/builders.ts";
import { planCreation, planUpdate, whyNotChange, whyReadOnly } from "./change-provider.ts";
import type { ProviderRecord } from "./provider-record.ts";
import { secretHint } from "./secret-hint.ts";

const nobody = { isInstanceAdmin: false, privateNetwork: true };
const admin = { isInstanceAdmin: true, privateNetwork: true };
const connectorId = testId();

const create = (body: object) => CreateProvider.parse({ kind: "openai-compatible", displayName: "Mine", ...body });
const update = (body: object) => UpdateProvider.parse(body);

function aRecord(overrides: Partial<ProviderRecord> = {}): ProviderRecord {
  return {
    id: testId(),
    kind: "openai-compatible",
    displayName: "Mine",
    scope: "user",
    workspaceId: null,
    ownerUserId: testId(),
    baseUrl: "https://models.example.org/v1",
    connectorId: null,
    upstream: null,
    route: "public",
    credential: { id: testId(), sealed: "sealed", method: "api-key", expiresAtMs: null, version: 1 },
    isDefault: false,
    isEnabled: true,
    source: "stored",
    version: 3,
    ...overrides,
  };
}

const stored = (overrides: Partial<ProviderRecord> = {}, headers: Record<string, string | null> = {}) => ({
  record: aRecord(overrides),
  hints: { credential: "…1234", headers },
});

describe("who may add or change an instance", () => {
  const workspaceId = testId();
  const as = (role: "owner" | "admin" | "member" | "viewer") => aPrincipal({ workspaces: [{ id: workspaceId, role }] });

  it("is an instance admin for everybody's, an owner or admin for a workspace's, anyone for their own", () => {
    const system = { scope: "system", workspaceId: null } as const;
    const shared = { scope: "workspace", workspaceId } as const;
    expect(whyNotChange(aPrincipal({ isInstanceAdmin: true }), system)).toBeNull();
    expect(whyNotChange(as("owner"), system)).toContain("instance admin");
    for (const role of ["owner", "admin"] as const) expect(whyNotChange(as(role), shared)).toBeNull();
    for (const role of ["member", "viewer"] as const) expect(whyNotChange(as(role), shared)).toContain("workspace");
    expect(whyNotChange(aPrincipal({ isInstanceAdmin: true }), shared)).toContain("workspace");
    expect(whyNotChange(aPrincipal(), { scope: "user", workspaceId: null })).toBeNull();
  });

  it("is nobody for the environment's, and the variable is named", () => {
    expect(whyReadOnly("anthropic")).toContain("ANTHROPIC_API_KEY");
    expect(whyReadOnly("ollama")).toContain("OLLAMA_BASE_URL");
  });
});

describe("a hint", () => {
  it("is the last four characters, and nothing of a secret shorter than twelve", async () => {
    expect(secretHint("sk-ant-12345678")).toBe("…5678");
    expect(secretHint("elevenchars")).toBeNull();
    await fc.assert(
      fc.property(fc.string({ minLength: 12 }), (secret) => {
        expect(secretHint(secret)).toBe(`…${secret.slice(-4)}`);
      }),
    );
  });
});

describe("headers of a person's own", () => {
  const headers = { "X-Gate": "secret-of-mine" };
  const refused = {
    ok: false,
    error: {
      code: "invalid_request",
      errors: [{ path: "config.headers", message: expect.stringContaining("baseUrl") }],
    },
  };

  it("go to no address of the operator's", () => {
    const body = create({ kind: "openai", config: { headers }, credential: { apiKey: "sk-12345678" } });
    expect(planCreation(body, admin)).toMatchObject(refused);
    const at = create({ kind: "openai", config: { headers, baseUrl: "https://gate.example.org/v1" } });
    expect(planCreation(at, nobody)).toMatchObject({ ok: true, value: { secret: { headers } } });
  });

  it("come to none by a change either", () => {
    const operators = stored({ kind: "openai", baseUrl: null, route: "operator" });
    expect(planUpdate(operators, update({ config: { headers } }), admin)).toMatchObject(refused);
    const own = stored({ kind: "openai" }, { "X-Gate": "…mine" });
    const away = { config: { baseUrl: null, headers }, credential: null };
    expect(planUpdate(own, update(away), admin)).toMatchObject(refused);
    expect(planUpdate(own, update({ ...away, config: { baseUrl: null, headers: {} } }), admin).ok).toBe(true);
    expect(planUpdate(operators, update({ displayName: "Other" }), admin).ok).toBe(true);
  });
});

describe("a new instance", () => {
  it("is in public, at a machine's, or where the operator or the vendor has that API", () => {
    const at = (body: object) => planCreation(create(body), nobody);
    expect(at({ config: { baseUrl: " https://models.example.org/v1/ " } })).toMatchObject({
      value: { place: { baseUrl: "https://models.example.org/v1", route: "public" }, secret: null },
    });
    expect(at({ kind: "ollama", config: { connectorId } })).toMatchObject({
      value: { place: { baseUrl: null, connectorId, route: "connector" } },
    });
    expect(at({ kind: "anthropic", credential: { apiKey: "sk-ant-12345678" } })).toMatchObject({
      value: {
        place: { baseUrl: null, connectorId: null, route: "operator" },
        secret: { apiKey: "sk-ant-12345678" },
        hints: { credential: "…5678", headers: {} },
      },
    });
  });

  it("keeps header values with the key, and only hints of them beside it", () => {
    const headers = { "CF-Access-Client-Id": "short", "CF-Access-Client-Secret": "a long secret value" };
    expect(planCreation(create({ config: { baseUrl: "https://a.example.org", headers } }), nobody)).toMatchObject({
      value: {
        secret: { headers },
        hints: { credential: null, headers: { "CF-Access-Client-Id": null, "CF-Access-Client-Secret": "…alue" } },
      },
    });
  });

  it.each(["http://192.168.1.5:11434", "http://models.example.org", "https://nas.local", "https://10.0.0.1/v1"])(
    "is at %s only on an instance admin's word, where the operator allows that",
    (baseUrl) => {
      const at = (standing: typeof admin) => planCreation(create({ config: { baseUrl } }), standing);
      expect(at(admin)).toMatchObject({ ok: true, value: { place: { route: "private" } } });
      for (const standing of [nobody, { ...admin, privateNetwork: false }])
        expect(at(standing)).toMatchObject({
          ok: false,
          error: { code: "url_refused", errors: [{ path: "config.baseUrl" }] },
        });
      expect(JSON.stringify(at({ ...admin, privateNetwork: false }))).toContain("ALLOW_PRIVATE_NETWORK");
      expect(JSON.stringify(at(nobody))).toContain("npx mosaic connect");
      expect(JSON.stringify(at(nobody))).not.toContain("ALLOW_PRIVATE_NETWORK");
    },
  );

  it.each([
    "https://a.example.org/?key=1",
    "https://a.example.org/v1#x",
    "https://a.example.org/?",
    "",
    "x".repeat(3000),
  ])("is never at %j", (baseUrl) => {
    for (const standing of [nobody, admin])
      expect(planCreation(create({ config: { baseUrl } }), standing)).toMatchObject({
        ok: false,
        error: { code: "url_refused" },
      });
  });
});

describe("a change", () => {
  it("leaves the secret unopened where it says nothing of it", () => {
    expect(planUpdate(stored(), update({ displayName: "Ours", isEnabled: false, isDefault: true }), nobody)).toEqual({
      ok: true,
      value: {
        changes: { displayName: "Ours", isEnabled: false, isDefault: true },
        secret: null,
        hints: { credential: "…1234", headers: {} },
      },
    });
  });

  it("takes a key to no other address, be it another path of the same origin, where a gateway has somebody else", () => {
    const to = (baseUrl: string | null, more: object = {}, of: Partial<ProviderRecord> = {}) =>
      planUpdate(stored(of), update({ config: { baseUrl }, ...more }), nobody);
    expect(to("https://models.example.org/v1/")).toMatchObject({ ok: true, value: { secret: null } });
    for (const elsewhere of [
      "https://evil.example.org/v1",
      "https://models.example.org:8443/v1",
      "https://models.example.org/v1/evil-account",
    ])
      expect(to(elsewhere)).toMatchObject({
        ok: false,
        error: { code: "invalid_request", errors: [{ path: "credential.apiKey" }] },
      });
    expect(to(null, {}, { kind: "openai" })).toMatchObject({ error: { errors: [{ path: "credential.apiKey" }] } });
    expect(to("https://evil.example.org/v1", { credential: { apiKey: "a-new-secret-key" } })).toMatchObject({
      value: { secret: { apiKey: "a-new-secret-key" }, hints: { credential: "…-key" } },
    });
    expect(to("https://evil.example.org/v1", { credential: null })).toMatchObject({
      value: { secret: { apiKey: null }, hints: { credential: null } },
    });
    expect(to("https://evil.example.org/v1", {}, { credential: null })).toMatchObject({ ok: true });
  });

  it("takes no header value to another address, machine or upstream either", () => {
    const instance = stored({ credential: null }, { "X-Secret": "…last" });
    const change = (config: object, of = instance) => planUpdate(of, update({ config }), nobody);
    const machine = stored({ baseUrl: null, connectorId, upstream: "one", route: "connector" });
    expect(change({ baseUrl: "https://evil.example.org" })).toMatchObject({
      error: { errors: [{ path: "config.headers" }] },
    });
    expect(change({ baseUrl: "https://evil.example.org", headers: {} })).toMatchObject({ ok: true });
    expect(change({ connectorId })).toMatchObject({ error: { errors: [{ path: "config.headers" }] } });
    expect(change({ upstream: "two" }, machine)).toMatchObject({ error: { errors: [{ path: "credential.apiKey" }] } });
    expect(change({ connectorId: testId() }, machine)).toMatchObject({ ok: false });
    expect(change({ baseUrl: "https://evil.example.org" }, machine)).toMatchObject({ ok: false });
    expect(change({ connectorId }, machine)).toMatchObject({ ok: true, value: { changes: { connectorId } } });
  });

  it("puts a machine in the place of an address and the other way round", () => {
    const free = { credential: null };
    expect(planUpdate(stored(free), update({ config: { connectorId } }), nobody)).toMatchObject({
      value: { changes: { baseUrl: null, connectorId, upstream: null, route: "connector" } },
    });
    const machine = stored({ ...free, baseUrl: null, connectorId, upstream: "one", route: "connector" });
    const baseUrl = "https://models.example.org";
    expect(planUpdate(machine, update({ config: { baseUrl } }), nobody)).toMatchObject({
      value: { changes: { baseUrl, connectorId: null, upstream: null, route: "public" } },
    });
    expect(planUpdate(machine, update({ config: { connectorId: null } }), nobody)).toMatchObject({
      ok: false,
      error: { errors: [{ path: "config.baseUrl" }] },
    });
  });

  it("does not judge an address anew that stays", () => {
    const secret = stored({ baseUrl: "http://192.168.1.5:11434", route: "private" });
    const keep = update({ config: { baseUrl: "http://192.168.1.5:11434" }, isEnabled: false });
    expect(planUpdate(secret, keep, nobody)).toMatchObject({ ok: true, value: { changes: { isEnabled: false } } });
    const move = update({ config: { baseUrl: "http://192.168.1.5:11434/v1" } });
    expect(planUpdate(secret, move, nobody)).toMatchObject({ error: { code: "url_refused" } });
  });

  it("never lets a secret go along to another address, whatever else it says", async () => {
    const place = fc.constantFrom(undefined, null, "https://models.example.org/x", "https://evil.example.org/v1");
    const body = fc.record(
      {
        displayName: fc.constantFrom("a", "b"),
        isEnabled: fc.boolean(),
        config: fc.record({ baseUrl: place, connectorId: fc.constantFrom(undefined, null, connectorId) }),
      },
      { requiredKeys: ["displayName"] },
    );
    await fc.assert(
      fc.property(body, (said) => {
        const before = stored({ kind: "openai-compatible" }, { "X-Secret": null });
        const plan = planUpdate(before, UpdateProvider.parse(JSON.parse(JSON.stringify(said))), admin);
        if (!plan.ok) return;
        expect(plan.value.secret).toBeNull();
        const { baseUrl = before.record.baseUrl, connectorId: machine = null } = plan.value.changes;
        expect([baseUrl, machine]).toEqual(["https://models.example.org/v1", null]);
      }),
    );
  });
});
