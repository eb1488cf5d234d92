import { afterEach, describe, expect, it } from "vitest";
import { type RawServer, startRawServer } from "../../testing/providers/raw-server.ts";
import { createProviderDirectory } from "./directory.ts";
import type { ProviderSettings } from "./providers-from-settings.ts";

const servers: RawServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function peer(status = 200, body: unknown = { data: [{ id: "claude-sonnet-4-6" }] }): Promise<RawServer> {
  const server = await startRawServer();
  servers.push(server);
  server.answer((response) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  });
  return server;
}

function directoryOf(settings: ProviderSettings) {
  const clock = { now: new Date("2026-11-21T12:00:00Z") };
  const scheduled: Promise<void>[] = [];
  const schedule = (work: Promise<void>): void => void scheduled.push(work);
  const directory = createProviderDirectory({ settings, fetch, now: () => clock.now, schedule });
  return {
    directory,
    settle: () => Promise.all(scheduled),
    pass: (ms: number) => {
      clock.now = new Date(clock.now.getTime() + ms);
    },
    first: async () => (await directory.instances(2_000)).at(0),
  };
}

const anthropicAt = (server: RawServer): ProviderSettings => ({
  ANTHROPIC_API_KEY: "k",
  ANTHROPIC_BASE_URL: server.url,
});

describe("the provider directory", () => {
  it("has the guide alone, healthy, where nothing is configured", async () => {
    const { directory } = directoryOf({ OLLAMA_BASE_URL: "off" });
    expect((await directory.instances(0)).map(({ id, health }) => [id, health])).toEqual([["guide", "healthy"]]);
  });

  it("orders what is configured, the guide last, under stable ids", async () => {
    const { directory } = directoryOf({
      OLLAMA_BASE_URL: "http://127.0.0.1:9",
      ZAI_API_KEY: "k",
      ZAI_BASE_URL: "http://127.0.0.1:9",
      OPENROUTER_API_KEY: "k",
      OPENROUTER_BASE_URL: "http://127.0.0.1:9",
      OPENAI_API_KEY: "k",
      OPENAI_BASE_URL: "http://127.0.0.1:9",
      ANTHROPIC_API_KEY: "k",
      ANTHROPIC_BASE_URL: "http://127.0.0.1:9",
    });
    const instances = await directory.instances(2_000);
    expect(instances.map(({ id }) => id)).toEqual([
      "env:anthropic",
      "env:openai",
      "env:openrouter",
      "env:zai",
      "env:ollama",
      "guide",
    ]);
    expect(instances.slice(0, -1).every(({ health }) => health === "down")).toBe(true);
  });

  it("is healthy after the vendor listed its models, those the vendor knows first", async () => {
    const { first } = directoryOf(anthropicAt(await peer()));
    const instance = await first();
    expect(instance?.health).toBe("healthy");
    expect(instance?.models.map(({ id, health }) => [id, health])).toEqual([
      ["claude-sonnet-4-6", "healthy"],
      ["claude-opus-4-6", "unknown"],
      ["claude-haiku-4-5", "unknown"],
    ]);
  });

  it.each([
    [401, "down"],
    [403, "down"],
    [404, "unknown"],
    [405, "unknown"],
    [429, "degraded"],
    [500, "degraded"],
  ])("reads a list call answered with %i as %s, its seeded models still there", async (status, health) => {
    const { first, directory } = directoryOf(anthropicAt(await peer(status, {})));
    const instance = await first();
    expect(instance?.health).toBe(health);
    expect(instance?.models[0]?.id).toBe("claude-sonnet-4-6");
    expect((await directory.health())[0]?.lastError).toMatch(/Anthropic.*\.$/);
  });

  it("does not wait longer than told for a vendor that is silent, and keeps it usable", async () => {
    const server = await peer();
    server.answer(() => undefined);
    const { directory } = directoryOf(anthropicAt(server));
    const started = performance.now();
    const [instance] = await directory.instances(50);
    expect(performance.now() - started).toBeLessThan(500);
    expect(instance?.health).toBe("unknown");
    expect(instance?.models.length).toBeGreaterThan(0);
  });

  it("asks once for many at a time, and not again within a minute", async () => {
    const server = await peer();
    const { directory, pass } = directoryOf(anthropicAt(server));
    await Promise.all(Array.from({ length: 20 }, () => directory.instances(2_000)));
    pass(59_000);
    await directory.instances(2_000);
    expect(server.requests.length).toBe(1);
  });

  it("asks a failing vendor no more often than a healthy one", async () => {
    const server = await peer(500, {});
    const { directory } = directoryOf(anthropicAt(server));
    for (let round = 0; round < 5; round++) await directory.instances(2_000);
    expect(server.requests.length).toBe(1);
  });

  it("answers from memory after a minute while it asks again aside", async () => {
    const server = await peer();
    const { directory, pass, settle } = directoryOf(anthropicAt(server));
    await directory.instances(2_000);
    server.answer((response) => void setTimeout(() => response.writeHead(401).end(), 30));
    pass(61_000);
    expect((await directory.instances(2_000))[0]?.health).toBe("healthy");
    await settle();
    expect((await directory.instances(2_000))[0]?.health).toBe("down");
  });

  it("counts real traffic at once: one failure degrades, three take down, a success heals", async () => {
    const { directory, first } = directoryOf(anthropicAt(await peer()));
    await first();
    const states: (string | undefined)[] = [];
    for (const ok of [false, false, false, true]) {
      directory.report("env:anthropic", ok ? { ok, latencyMs: 12.4 } : { ok, error: "It broke." });
      states.push((await first())?.health);
    }
    expect(states).toEqual(["degraded", "degraded", "down", "healthy"]);
    const [health] = await directory.health();
    expect(health).toMatchObject({ state: "healthy", latencyMs: 12 });
    expect(health?.lastError).toBeUndefined();
  });

  it("does not let a list that answers hide that answers fail", async () => {
    const { directory, first, pass, settle } = directoryOf(anthropicAt(await peer()));
    await first();
    for (let round = 0; round < 3; round++) directory.report("env:anthropic", { ok: false, error: "It broke." });
    pass(61_000);
    await first();
    await settle();
    expect((await first())?.health).toBe("degraded");
  });

  it("ignores reports on an instance it does not have", async () => {
    const { directory } = directoryOf({});
    directory.report("env:gone", { ok: false, error: "x" });
    directory.report("guide", { ok: false, error: "x" });
    expect((await directory.health()).map(({ state }) => state)).toEqual(["healthy"]);
  });
});
