import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { ProviderList } from "../../shared/contract/provider.ts";
import { type Stack, startStack } from "../../shared/testing/node/stack.ts";
import { type FakeModelServer, startFakeModelServer } from "../../shared/testing/providers/fake-model-server.ts";
import { type House, houseAt, join, type Person } from "./house.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 180_000 });

const MODEL = "claude-sonnet-4-6";
const WithId = z.object({ id: z.string() });

let vendor: FakeModelServer;
let stack: Stack;
let house: House;
let root: Person;
let alice: Person;
let bob: Person;
beforeAll(async () => {
  vendor = await startFakeModelServer();
  stack = await startStack({ env: { ANTHROPIC_BASE_URL: vendor.url, OPENAI_BASE_URL: `${vendor.url}/v1` } });
  house = houseAt(stack.url);
  root = await house.person("root");
  alice = await house.person("alice");
  bob = await house.person("bob");
});
afterAll(async () => {
  await stack?.stop();
  await vendor?.close();
});
beforeEach(() => {
  vendor.journal.length = 0;
});
afterEach(async () => {
  for (const person of [alice, bob, root]) {
    const { items } = ProviderList.parse(JSON.parse((await person.ask("GET", "/api/providers")).text));
    for (const { id } of items) await person.ask("DELETE", `/api/providers/${id}`);
  }
});

/** With whose key the vendor was asked, in order. */
const keys = (): string[] =>
  vendor.journal.map(({ headers }) => {
    const bearer = headers.authorization?.replace("Bearer ", "");
    return String(headers["x-api-key"] ?? bearer);
  });

const anthropic = (apiKey: string, more: object = {}) => ({
  kind: "anthropic",
  displayName: "Anthropic",
  credential: { apiKey },
  ...more,
});

describe("a provider", () => {
  it("answers, changes and is gone from the very next message on", async () => {
    const id = await alice.converse();
    const before = await alice.say(id, "anybody there?");
    expect([keys(), before.includes("turn:completed")]).toEqual([[], true]);

    const made = await alice.connect(anthropic("sk-alice-first-key"));
    await alice.say(id, "now");
    expect(vendor.journal.at(-1)?.lastUserText).toContain("now");
    expect(keys()).toEqual(["sk-alice-first-key"]);

    const path = `/api/providers/${made.id}`;
    await alice.ask("PATCH", path, { credential: { apiKey: "sk-alice-second-key" } });
    await alice.say(id, "again");
    expect(keys()).toEqual(["sk-alice-first-key", "sk-alice-second-key"]);

    await alice.ask("PATCH", path, { isEnabled: false });
    const disabled = await alice.say(id, "disabled", MODEL);
    expect([keys().length, disabled.includes("You said: disabled")]).toEqual([2, false]);

    await alice.ask("PATCH", path, { isEnabled: true });
    await alice.say(id, "enabled", MODEL);
    expect([keys().length, vendor.journal.at(-1)?.lastUserText]).toEqual([3, expect.stringContaining("enabled")]);

    expect((await alice.ask("DELETE", path)).status).toBe(204);
    const gone = await alice.say(id, "deleted", MODEL);
    expect([keys().length, gone.includes("You said: deleted")]).toEqual([3, false]);
  });

  it("that is the default comes first, and the one that was it steps back", async () => {
    const first = await alice.connect(anthropic("sk-alice-default-one", { isDefault: true }));
    const second = await alice.connect(anthropic("sk-alice-default-two", { isDefault: true }));
    const read = async (id: string) =>
      z.object({ isDefault: z.boolean() }).parse(JSON.parse((await alice.ask("GET", `/api/providers/${id}`)).text));
    expect([await read(first.id), await read(second.id)]).toEqual([{ isDefault: false }, { isDefault: true }]);
    const id = await alice.converse();
    await alice.say(id, "one");
    await alice.ask("PATCH", `/api/providers/${first.id}`, { isDefault: true });
    await alice.say(id, "two");
    expect(keys()).toEqual(["sk-alice-default-two", "sk-alice-default-one"]);
  });
});

describe("a key", () => {
  it("is spent by its owner alone, also where both talk to the same vendor", async () => {
    await alice.connect(anthropic("sk-alice-own"));
    await bob.connect(anthropic("sk-bob-own"));
    const [first, second] = [await alice.converse(), await bob.converse()];
    await Promise.all([alice.say(first, "from alice"), bob.say(second, "from bob")]);
    const asked = vendor.journal.map(({ lastUserText, headers }) => `${lastUserText}: ${headers["x-api-key"]}`);
    expect(asked.sort()).toEqual(["from alice: sk-alice-own", "from bob: sk-bob-own"]);
  });

  it("of a conversation's owner is not spent by those who are let in", async () => {
    const { id: workspaceId } = WithId.parse(
      JSON.parse((await alice.ask("POST", "/api/workspaces", { name: "T" })).text),
    );
    await join(alice, workspaceId, bob);
    await alice.connect(anthropic("sk-alice-private"));
    const id = await alice.converse({ workspaceId });
    await alice.ask("PATCH", `/api/conversations/${id}`, { visibility: "workspace" });
    await alice.say(id, "hers");
    const without = await bob.say(id, "his, without a key", MODEL);
    expect([keys(), without.includes("You said: his")]).toEqual([["sk-alice-private"], false]);

    const his = await bob.connect(anthropic("sk-bob-private"));
    expect(await bob.say(id, "his, with a key")).toContain("You said: his");
    await alice.say(id, "hers again");
    expect(keys()).toEqual(["sk-alice-private", "sk-bob-private", "sk-alice-private"]);

    await alice.connect(anthropic("sk-team", { scope: "workspace", workspaceId }));
    await bob.ask("DELETE", `/api/providers/${his.id}`);
    await bob.say(id, "with the team's");
    expect(keys().at(-1)).toBe("sk-team");
  });

  it("of the system is everybody's, and an instance admin's alone to change", async () => {
    const body = anthropic("sk-everybody", { scope: "system" });
    expect((await bob.ask("POST", "/api/providers", body)).status).toBe(403);
    const made = await root.connect(body);
    await bob.say(await bob.converse(), "with everybody's");
    expect(keys()).toEqual(["sk-everybody"]);
    for (const [method, change] of [["PATCH", { isEnabled: false }], ["DELETE"]] as const)
      expect((await bob.ask(method, `/api/providers/${made.id}`, change)).status).toBe(403);
    expect((await root.ask("DELETE", `/api/providers/${made.id}`)).status).toBe(204);
    await bob.say(await bob.converse(), "gone");
    expect(keys()).toEqual(["sk-everybody"]);
  });
});
