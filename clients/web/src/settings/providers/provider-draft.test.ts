import { describe, expect, test } from "vitest";
import { CreateProvider, type Provider, UpdateProvider } from "../../../../../shared/contract/provider.ts";
import { audienceHint } from "./audience.ts";
import {
  changesOf,
  creationOf,
  draftOf,
  emptyDraft,
  errorsAt,
  isElsewhere,
  type ProviderDraft,
} from "./provider-draft.ts";

const ID = "0190aaaa-0000-7000-8000-000000000000";
const MACHINE = "0190bbbb-0000-7000-8000-000000000000";

const saved = (config: Provider["config"] = {}): Provider => ({
  ...{ id: ID, kind: "anthropic", displayName: "Claude", scope: "user", workspaceId: null, config },
  credential: { configured: true, hint: "…last", method: "api-key", expiresAt: null },
  ...{ isDefault: false, isEnabled: true, source: "stored", health: "healthy", version: 1 },
  ...{ createdAt: null, updatedAt: null },
});
const draft = (changes: Partial<ProviderDraft>): ProviderDraft => ({ ...emptyDraft("anthropic"), ...changes });

describe("a new provider", () => {
  test.each([
    [
      "a vendor with a key",
      "anthropic",
      { apiKey: " sk-1 " },
      { scope: "user", config: {}, credential: { apiKey: "sk-1" } },
    ],
    ["one for a workspace", "openai", { audience: ID, apiKey: "k" }, { scope: "workspace", workspaceId: ID }],
    ["one for everybody", "openai", { audience: "system", apiKey: "k" }, { scope: "system" }],
    [
      "a server on a machine",
      "ollama",
      { place: "machine", connectorId: MACHINE, upstream: "big", baseUrl: "http://left.over" },
      { config: { connectorId: MACHINE, upstream: "big" } },
    ],
    [
      "a server behind Cloudflare Access",
      "ollama",
      {
        baseUrl: " https://ollama.example ",
        headers: [
          { key: 1, name: "CF-Access-Client-Id ", value: " id " },
          { key: 2, name: "", value: "" },
        ],
      },
      { config: { baseUrl: "https://ollama.example", headers: { "CF-Access-Client-Id": "id" } } },
    ],
  ] as const)("%s is a request that the server accepts", (_, kind, changes, expected) => {
    const body = creationOf(kind, {
      ...emptyDraft(kind),
      ...changes,
      headers: [...("headers" in changes ? changes.headers : [])],
    });
    expect(body).toMatchObject(expected);
    expect(CreateProvider.safeParse(body).error).toBeUndefined();
  });
});

describe("a change", () => {
  test("names only what differs, and nothing where nothing does", () => {
    const provider = saved({ baseUrl: "https://a.example/v1" });
    const same = draftOf(provider);
    expect(changesOf(same, provider)).toBeNull();
    expect(changesOf({ ...same, displayName: "Other" }, provider)).toEqual({ displayName: "Other" });
    expect(changesOf({ ...same, apiKey: "new" }, provider)).toEqual({ credential: { apiKey: "new" } });
    expect(changesOf({ ...same, headers: [] }, provider)).toEqual({ config: { headers: {} } });
    const moved = changesOf({ ...same, baseUrl: "https://a.example/v2" }, provider);
    expect(moved).toEqual({ config: { baseUrl: "https://a.example/v2" } });
    const home = changesOf({ ...same, baseUrl: "" }, provider);
    expect(home).toEqual({ config: { baseUrl: null } });
    const machine = changesOf({ ...same, place: "machine", connectorId: MACHINE }, provider);
    expect(machine).toEqual({ config: { connectorId: MACHINE, upstream: null } });
    for (const change of [moved, home, machine]) expect(UpdateProvider.safeParse(change).error).toBeUndefined();
  });

  test.each([
    ["another origin", { baseUrl: "https://b.example/v1" }, true],
    ["another port", { baseUrl: "https://a.example:8443/v1" }, true],
    ["a machine instead", { place: "machine", connectorId: MACHINE }, true],
    ["another path", { baseUrl: "https://a.example/v2" }, true],
    ["the same in other words", { baseUrl: "https://A.example/v1/" }, false],
    ["another name", { displayName: "Other" }, false],
  ] as const)("%s asks for the key anew: %#", (_, changes, expected) => {
    const provider = saved({ baseUrl: "https://a.example/v1" });
    expect(isElsewhere(draft({ ...draftOf(provider), ...changes }), provider)).toBe(expected);
  });
});

test("a fault stands at its field, as a sentence", () => {
  expect(
    errorsAt([
      { path: "credential.apiKey", message: "must be 1 to 4,000 printable ASCII characters without spaces" },
      { path: "config.baseUrl", message: "This address is private." },
      { path: "config.headers.Host", message: "is set by Mosaic itself; leave it out" },
      { path: "somewhere", message: "else" },
    ]),
  ).toEqual({
    apiKey: "The key must be 1 to 4,000 printable ASCII characters without spaces.",
    baseUrl: "This address is private.",
    headers: "The header Host is set by Mosaic itself; leave it out.",
  });
});

test("whoever gives their machine to others reads that they share it; nobody else does", () => {
  expect(audienceHint({ audience: "user", place: "machine" })).toBeUndefined();
  for (const audience of ["system", ID]) {
    expect(audienceHint({ audience, place: "machine" })).toContain("You share your machine");
    expect(audienceHint({ audience, place: "address" })).not.toContain("machine");
  }
});
