import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { v7 as newId } from "uuid";
import { describe, expect, it } from "vitest";
import { breakerOf, type HealthNews, newHealth } from "../../shared/domain/providers/breaker.ts";
import { type Bindings, providerHealthObject } from "../stubs.ts";

const bindings = env as unknown as Bindings;
const NOW = Date.now();
const stubOf = (id: string) => bindings.PROVIDER_HEALTH.get(bindings.PROVIDER_HEALTH.idFromName(id));
const failed = (error = "It broke."): HealthNews => ({
  from: "traffic",
  outcome: { ok: false, kind: "server_error", error },
});
const answered: HealthNews = { from: "traffic", outcome: { ok: true, latencyMs: 12 } };

describe("the breaker's object", () => {
  it("counts what isolates tell it, each from what it knew itself", async () => {
    const health = providerHealthObject(bindings, newId());
    for (const count of [1, 2, 3]) {
      const { failures } = await health.learn(newHealth(NOW), 1, failed());
      expect(failures).toBe(count);
    }
    const open = await health.learn(newHealth(NOW), 1, { from: "trial" });
    expect([open.state, breakerOf(open, Date.now())]).toEqual(["down", "open"]);
    expect(await health.learn(newHealth(NOW), 1, answered)).toMatchObject({ state: "healthy", failures: 0 });
  });

  it("loses nothing of what many tell it at once", async () => {
    const health = providerHealthObject(bindings, newId());
    const told = await Promise.all(Array.from({ length: 40 }, () => health.learn(newHealth(NOW), 1, answered)));
    expect(told.map(({ version }) => version).toSorted((a, b) => a - b)).toEqual(told.map((_each, index) => index + 1));
    expect((await health.learn(newHealth(NOW), 1, answered)).version).toBe(41);
  });

  it("knows after its memory is gone what it knew before, also when many come at once then", async () => {
    const id = newId();
    const health = providerHealthObject(bindings, id);
    await health.learn(newHealth(NOW), 1, failed());
    for (const round of [1, 2, 3]) {
      await evictDurableObject(stubOf(id));
      const told = await Promise.all([0, 1, 2].map(() => health.learn(newHealth(NOW), 1, failed())));
      expect(Math.max(...told.map(({ version }) => version))).toBe(1 + 3 * round);
    }
  });

  it("goes on from what the teller knew where it knows nothing: a lost storage does not set the mirror back", async () => {
    const known = { ...newHealth(NOW), version: 500, failures: 2 };
    const health = await providerHealthObject(bindings, newId()).learn(known, 1, failed());
    expect(health).toMatchObject({ version: 501, failures: 3, state: "down" });
  });

  it("forgets an earlier key with the record's next version, and hears no more of it", async () => {
    const health = providerHealthObject(bindings, newId());
    await health.learn(newHealth(NOW), 1, failed());
    const anew = await health.learn(newHealth(NOW), 2, answered);
    expect(anew).toMatchObject({ ofVersion: 2, state: "healthy" });
    expect(await health.learn(newHealth(NOW), 1, failed())).toEqual(anew);
  });

  it("takes sentences in any script, however long", async () => {
    const error = "Сервер не отвечает 🎈 — “später”.";
    const health = providerHealthObject(bindings, newId());
    expect((await health.learn(newHealth(NOW), 1, failed(error))).lastError).toBe(error);
    const long = await health.learn(newHealth(NOW), 1, failed("🎈".repeat(5_000)));
    expect(long.lastError?.isWellFormed()).toBe(true);
    expect(long.lastError?.length).toBeLessThanOrEqual(500);
  });

  it("keeps nothing but the record, and no secret of its environment", async () => {
    const id = newId();
    await providerHealthObject(bindings, id).learn(newHealth(NOW), 1, failed());
    await runInDurableObject(stubOf(id), async (_instance, state) => {
      const stored = await state.storage.list();
      expect([...stored.keys()]).toEqual(["data"]);
      expect(Object.keys(stored.get("data") as object)).toEqual(["health"]);
    });
  });
  it("leaves nothing in its storage once its instance is gone, and begins anew for a later one of that name", async () => {
    const id = newId();
    const health = providerHealthObject(bindings, id);
    await health.learn(newHealth(NOW), 1, failed("A vendor's words."));
    await health.forget();
    await health.forget();
    await runInDurableObject(stubOf(id), async (_instance, state) => {
      expect((await state.storage.list()).size).toBe(0);
    });
    expect(await health.learn(newHealth(NOW), 1, answered)).toMatchObject({ failures: 0, version: 1 });
  });
});
