import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join as pathOf } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { makeDataDir, type Stack, startStack } from "../../shared/testing/node/stack.ts";
import { type HostileVendor, type Mood, startHostileVendor } from "./hostile-vendor.ts";
import { type House, houseAt, type Person } from "./house.ts";

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

/** What may never be found again. Letters and figures alone, so that no encoding of text hides them. */
const KEYS = { first: "skCanaryFirst7f3a9b21c5", second: "skCanarySecond8e4c6d10f2", own: "skCanaryOwn5b9d3e7a6c1" };
const HEADER = "gateCanary1d2c3b4a5f6e7";
/** What must be found, so that the search is known to look everywhere. */
const VISIBLE = "visibleMarker9a8b7c6d5e4";
const IN_BASE64 = ["", "x", "xx"].map((before) => btoa(`${before}Canary`).slice(before.length + 1, -3));
const CANARY = new RegExp(`(?i:(?:sk|gate)canary)|${IN_BASE64.join("|")}`);

let dataDir: string;
let vendor: HostileVendor;
let stack: Stack;
let house: House;
let root: Person;
let guest: Person;
beforeAll(async () => {
  dataDir = await makeDataDir();
  vendor = await startHostileVendor();
  stack = await startStack({ dataDir, env: { ALLOW_PRIVATE_NETWORK: "1", ANTHROPIC_BASE_URL: vendor.url } });
  house = houseAt(stack.url);
  root = await house.person("root");
  guest = await house.person("guest");
});
afterAll(async () => {
  await stack?.stop();
  await vendor?.close();
  rmSync(dataDir, { recursive: true, force: true });
});

/** Files of the stack's data folder that hold a text, in any of the bytes it may be written in. */
function filesWith(pattern: RegExp): string[] {
  const files = readdirSync(dataDir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files
    .map(({ parentPath, name }) => pathOf(parentPath, name))
    .filter((path) => {
      const bytes = readFileSync(path);
      return pattern.test(bytes.toString("latin1")) || pattern.test(bytes.toString("utf16le"));
    });
}

/** A little of everything that could repeat a secret. */
async function everythingOf(person: Person, providerId: string): Promise<void> {
  await person.ask("POST", `/api/providers/${providerId}/test`);
  await person.ask("POST", "/api/models/refresh");
  for (const path of ["", `/${providerId}`, "/health"]) await person.ask("GET", `/api/providers${path}`);
  for (const path of ["/api/models", "/api/me", "/api/me/export", "/api/connectors"]) await person.ask("GET", path);
  await person.ask("PATCH", `/api/providers/${providerId}`, { config: { baseUrl: "https://elsewhere.example.org" } });
  await person.ask("PATCH", `/api/providers/${providerId}`, { credential: { apiKey: `${KEYS.first} two words` } });
}

const MOODS: Mood[] = [
  "well",
  "echo",
  "unauthorised",
  "redirect",
  "garbage",
  "error-in-200",
  "broken-stream",
  "server-error",
  "well",
];

describe("a secret", () => {
  it("is shown to the vendor it was saved for, and found nowhere else, whatever that vendor does with it", async () => {
    const made = await root.connect({
      kind: "openai-compatible",
      displayName: "Hostile",
      scope: "system",
      config: { baseUrl: `${vendor.url}/v1`, headers: { "X-Gate": HEADER } },
      credential: { apiKey: KEYS.first },
    });
    const conversation = await root.converse({ title: VISIBLE });
    for (const mood of MOODS) {
      vendor.mood = mood;
      await root.ask("PATCH", `/api/providers/${made.id}`, { displayName: `Hostile and ${mood}` });
      await root.say(conversation, `be ${mood}`, `${made.id}/a-model`);
      await everythingOf(root, made.id);
    }
    vendor.mood = "well";
    await root.ask("PATCH", `/api/providers/${made.id}`, { credential: { apiKey: KEYS.second } });
    const keyed = { "idempotency-key": "once" };
    const body = { kind: "anthropic", displayName: "Own", credential: { apiKey: KEYS.own } };
    for (let times = 0; times < 2; times += 1)
      expect((await guest.ask("POST", "/api/providers", body, keyed)).status).toBe(201);
    vendor.mood = "unauthorised";
    await guest.say(await guest.converse(), "with my own", "claude-sonnet-4-6");
    await everythingOf(guest, made.id);

    const shown = vendor.shown.join("\n");
    for (const secret of [KEYS.first, KEYS.second, KEYS.own, HEADER]) expect(shown).toContain(secret);
    expect([vendor.elsewhere, vendor.answered]).toEqual([0, new Set(MOODS)]);
  });

  it("goes with its account", async () => {
    expect((await guest.ask("DELETE", "/api/me")).status).toBe(204);
    expect((await guest.ask("GET", "/api/providers")).status).toBe(401);
  });

  it("stands in no answer, no frame and no log line", () => {
    expect(house.heard.length).toBeGreaterThan(80);
    expect(house.heard.filter(({ text }) => CANARY.test(text)).map(({ request }) => request)).toEqual([]);
    expect(
      stack
        .output()
        .split("\n")
        .filter((line) => CANARY.test(line)),
    ).toEqual([]);
  });

  it("stands in no row, no object and no queue: nowhere in what is kept", async () => {
    await stack.stop();
    expect(filesWith(new RegExp(VISIBLE)).length).toBeGreaterThan(1);
    expect(filesWith(CANARY)).toEqual([]);
  });
});
