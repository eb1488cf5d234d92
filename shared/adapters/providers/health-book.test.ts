import { describe, expect, it } from "vitest";
import { afterNews, type HealthNews, newHealth } from "../../domain/providers/breaker.ts";
import type { HealthRecord } from "../../domain/providers/health.ts";
import { BUILT_IN_IDS, type ProviderRecord } from "../../domain/providers/provider-record.ts";
import { type ListedModel, ProviderError, type ProviderErrorKind } from "../../ports/model-provider.ts";
import type { StatusStore } from "../../ports/status-store.ts";
import { platformTimers } from "../../ports/timers.ts";
import { aConfiguration, aProviderRecord } from "../../testing/builders.ts";
import { createProviderDirectory } from "./directory.ts";
import { environmentProviders } from "./environment-providers.ts";
import { createHealthBook } from "./health-book.ts";
import { StatusMemory } from "./status-memory.ts";

const START = Date.parse("2026-11-21T12:00:00Z");
const ollamaAt = { OLLAMA_BASE_URL: "http://127.0.0.1:9" };

/** Isolates that share a database and the breakers' objects, and nothing else. */
function house() {
  const clock = { ms: START };
  const objects = new Map<string, HealthRecord>();
  const mirror = new Map<string, { health: HealthRecord; listed: ListedModel[] | null }>();
  const saved: { id: string; used: boolean }[] = [];
  const asked: string[] = [];
  const due: ProviderRecord[] = [];
  /** When somebody took a probe on. */
  const claimedAtMs = new Map<string, number>();
  const gone = new Set<string>();
  const vendor = { answer: async (): Promise<ListedModel[]> => [{ id: "a-model" }] };
  const is = { databaseAway: false };
  const unlessAway = <Value>(value: Value): Promise<Value> =>
    is.databaseAway ? Promise.reject(new Error("away")) : Promise.resolve(value);
  const status: StatusStore = {
    saveHealth: async (id, health, { used }) => {
      await unlessAway(null);
      if (gone.has(id)) return false;
      saved.push({ id, used });
      const before = mirror.get(id);
      if (!before || health.version > before.health.version) mirror.set(id, { listed: null, ...before, health });
      return true;
    },
    saveList: async (id, listed) => {
      await unlessAway(null);
      mirror.set(id, { health: mirror.get(id)?.health ?? newHealth(0), listed: [...listed] });
    },
    healths: (ids) =>
      unlessAway(
        ids.flatMap((providerId) => {
          const health = mirror.get(providerId)?.health;
          return health ? [{ providerId, health }] : [];
        }),
      ),
    facts: async () => ({ status: [], catalogue: [] }),
    claimDue: async (environmentIds, { askedBefore, at }, limit) => {
      await unlessAway(null);
      const claim = (id: string): boolean => {
        const isDue = (claimedAtMs.get(id) ?? 0) < Date.parse(askedBefore);
        if (isDue) claimedAtMs.set(id, Date.parse(at));
        return isDue;
      };
      const stored = due.filter(({ id }) => (claimedAtMs.get(id) ?? 0) < Date.parse(askedBefore)).slice(0, limit);
      return { environmentIds: environmentIds.filter(claim), stored: stored.filter(({ id }) => claim(id)) };
    },
  };
  const learn = async (id: string, known: HealthRecord, ofVersion: number, news: HealthNews) => {
    const own = objects.get(id);
    const health = afterNews(own && own.version >= known.version ? own : known, ofVersion, news, clock.ms);
    objects.set(id, health);
    return health;
  };
  const isolate = () => {
    const work: Promise<unknown>[] = [];
    const memory = new StatusMemory();
    const now = (): Date => new Date(clock.ms);
    const directory = createProviderDirectory({
      environment: environmentProviders(ollamaAt).records,
      open: ({ id, kind }) => ({
        kind,
        models: () => {
          asked.push(id);
          return vendor.answer();
        },
        async *stream() {},
      }),
      memory,
      now,
    });
    const book = createHealthBook({
      directory,
      memory,
      status,
      object: (id) => ({
        learn: (known, ofVersion, news) => learn(id, known, ofVersion, news),
        forget: async () => void objects.delete(id),
      }),
      background: (promise) => void work.push(promise),
      timers: platformTimers,
      now,
      probeSeconds: 60,
    });
    return { book, directory, memory, settle: () => Promise.all(work) };
  };
  return { clock, objects, mirror, saved, asked, due, gone, vendor, is, isolate };
}

const fail = (kind: ProviderErrorKind) => () =>
  Promise.reject(new ProviderError({ kind, message: `No list: ${kind}.`, retryable: true }));
const failure = (kind: ProviderErrorKind) => ({ ok: false as const, kind, error: `It failed: ${kind}.` });
const success = { ok: true as const, latencyMs: 12.4 };
const instance = { id: BUILT_IN_IDS.anthropic, version: 1 };
const record = aProviderRecord({ id: instance.id });

describe("the health book", () => {
  it("counts real traffic here at once, and everywhere soon after", async () => {
    const { isolate, mirror } = house();
    const here = isolate();
    const there = isolate();
    here.book.report(instance, failure("timeout"));
    expect(here.memory.health(instance.id)?.state).toBe("down");
    await here.settle();
    expect(mirror.get(instance.id)?.health.state).toBe("down");
    expect(await there.book.of([record])).toMatchObject([{ state: "down", lastError: "It failed: timeout." }]);
  });

  it("adds up what several isolates saw", async () => {
    const { isolate, objects } = house();
    const isolates = [isolate(), isolate(), isolate()];
    for (const { book, settle } of isolates) {
      book.report(instance, failure("server_error"));
      await settle();
    }
    expect(objects.get(instance.id)).toMatchObject({ failures: 3, state: "down" });
  });

  it("tells that all is well every half minute only, and a change at once", async () => {
    const { isolate, saved, clock } = house();
    const { book, settle } = isolate();
    for (let second = 0; second < 60; second++) {
      book.report(instance, success);
      clock.ms += 1_000;
    }
    await settle();
    expect(saved).toHaveLength(2);
    book.report(instance, failure("server_error"));
    book.report(instance, success);
    await settle();
    expect(saved).toHaveLength(4);
    expect(saved.every(({ used }) => used)).toBe(true);
  });

  it("hears nothing against a provider that rightly refused, nor of the guide", async () => {
    const { isolate, saved } = house();
    const { book, settle } = isolate();
    book.report(instance, failure("invalid_request"));
    book.report(instance, failure("context_too_large"));
    book.report({ id: BUILT_IN_IDS.guide, version: 1 }, failure("server_error"));
    await settle();
    expect(saved).toEqual([]);
  });

  it("knows how providers fare without a database, and brings it there when it is back", async () => {
    const { isolate, is, mirror } = house();
    const { book, settle } = isolate();
    is.databaseAway = true;
    book.report(instance, failure("timeout"));
    await settle();
    expect((await book.of([record]))[0]?.state).toBe("down");
    is.databaseAway = false;
    book.report(instance, success);
    await settle();
    expect(mirror.get(instance.id)?.health).toMatchObject({ state: "healthy", version: 2 });
  });

  it("lets one turn try a provider that may be well again", async () => {
    const { isolate, clock } = house();
    const { book, settle } = isolate();
    book.report(instance, failure("timeout"));
    await settle();
    expect(book.trial(instance)).toBe(false);
    clock.ms += 5_000;
    expect([book.trial(instance), book.trial(instance)]).toEqual([true, false]);
    book.report(instance, success);
    expect(book.trial(instance)).toBe(true);
  });

  it("keeps what a probe lists and says how long it took; a failed one says why", async () => {
    const { isolate, vendor, mirror } = house();
    const { book, settle } = isolate();
    expect(await book.probe(record)).toMatchObject({ ok: true, models: [{ id: "a-model" }], error: null });
    vendor.answer = fail("unauthenticated");
    expect(await book.probe(record)).toMatchObject({ ok: false, error: "No list: unauthenticated." });
    await settle();
    expect(mirror.get(record.id)).toMatchObject({ health: { state: "down" }, listed: [{ id: "a-model" }] });
  });

  it("asks once for many who want to know at the same time", async () => {
    const { isolate, asked } = house();
    const { book } = isolate();
    await Promise.all(Array.from({ length: 20 }, () => book.probe(record)));
    expect(asked).toHaveLength(1);
  });

  it("probes the environment's and what somebody used of late, and not again before it is due", async () => {
    const { isolate, asked, due, clock } = house();
    const { book } = isolate();
    due.push(record);
    expect(await book.probeDue(60_000)).toEqual({ probed: 2 });
    expect(asked.toSorted()).toEqual([BUILT_IN_IDS.anthropic, BUILT_IN_IDS.ollama].toSorted());
    due.pop();
    expect(await book.probeDue(60_000)).toEqual({ probed: 0 });
    clock.ms += 60_000;
    expect(await book.probeDue(60_000)).toEqual({ probed: 1 });
  });

  it("asks each once, however many timers there are, also for an operator who wants to know seldom", async () => {
    const { isolate, asked, due, clock } = house();
    for (let count = 0; count < 20; count++) due.push(aProviderRecord());
    const rounds = await Promise.all([1, 2, 3].map(() => isolate().book.probeDue(60_000)));
    expect(rounds.reduce((sum, { probed }) => sum + probed, 0)).toBe(21);
    expect(new Set(asked).size).toBe(asked.length);
    clock.ms += 50_000;
    expect(await isolate().book.probeDue(60_000)).toEqual({ probed: 0 });
  });

  it("probes the environment's without a database as often as with one", async () => {
    const { isolate, is, clock } = house();
    const { book } = isolate();
    is.databaseAway = true;
    expect([await book.probeDue(60_000), await book.probeDue(60_000)]).toEqual([{ probed: 1 }, { probed: 0 }]);
    clock.ms += 60_000;
    expect(await book.probeDue(60_000)).toEqual({ probed: 1 });
  });

  it("ends its round in time while vendors hang, and leaves to the next one what it did not come to", async () => {
    const { isolate, asked, due, vendor, clock } = house();
    for (let count = 0; count < 20; count++) due.push(aProviderRecord());
    vendor.answer = () => new Promise(() => {});
    const begun = await isolate().book.probeDue(20);
    expect(begun.probed).toBeLessThan(21);
    expect(asked).toHaveLength(3);
    vendor.answer = async () => [];
    clock.ms += 1_000;
    expect((await isolate().book.probeDue(60_000)).probed).toBe(21 - begun.probed);
  });

  it("keeps nothing of an instance that is gone, also where its last news come late", async () => {
    const { isolate, objects, gone } = house();
    const { book, settle } = isolate();
    book.report(instance, failure("timeout"));
    await settle();
    gone.add(instance.id);
    await book.forget([instance.id]);
    expect(objects.has(instance.id)).toBe(false);
    book.report(instance, failure("timeout"));
    await settle();
    expect(objects.has(instance.id)).toBe(false);
  });

  it("reads health without the lists beside it", async () => {
    const { isolate, mirror } = house();
    const { book, memory } = isolate();
    mirror.set(record.id, { health: { ...newHealth(START), version: 3, state: "degraded" }, listed: [{ id: "many" }] });
    expect(await book.of([record])).toMatchObject([{ state: "degraded" }]);
    expect(memory.listed(record.id)).toBeNull();
  });

  it("asks a few vendors at once, never all of them", async () => {
    const { isolate, due, vendor } = house();
    let running = 0;
    let most = 0;
    vendor.answer = async () => {
      running++;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 1));
      running--;
      return [];
    };
    for (let count = 0; count < 12; count++) due.push(aProviderRecord());
    expect(await isolate().book.probeDue(60_000)).toEqual({ probed: 13 });
    expect(most).toBe(3);
  });

  it("goes on with the others where one cannot even be opened", async () => {
    const { isolate, due, vendor } = house();
    due.push(aProviderRecord(), aProviderRecord());
    vendor.answer = () => {
      throw new Error("out of order");
    };
    expect(await isolate().book.probeDue(60_000)).toEqual({ probed: 3 });
  });

  it("looks at those that nobody ever asked, waits no longer than told, and looks once", async () => {
    const { isolate, asked, vendor } = house();
    const { book, directory, settle } = isolate();
    let answer = (_models: ListedModel[]): void => {};
    vendor.answer = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    await book.firstLook(aConfiguration(), 5);
    expect(directory.instances(null)[0]?.models).toEqual([]);
    answer([{ id: "late-model" }]);
    await settle();
    expect(directory.instances(null)[0]?.models.map(({ id }) => id)).toEqual(["late-model"]);
    await book.firstLook(aConfiguration(), 5);
    expect(asked).toEqual([BUILT_IN_IDS.ollama]);
  });

  it("answers at once what it knows, and asks anew aside what it has not heard of for a while", async () => {
    const { isolate, asked, clock } = house();
    const { book, settle } = isolate();
    expect(await book.of([record])).toMatchObject([{ state: "unknown", checkedAt: null, latencyMs: null }]);
    await settle();
    expect(await book.of([record])).toMatchObject([{ state: "healthy" }]);
    clock.ms += 61_000;
    await book.of([record]);
    await settle();
    expect(asked).toHaveLength(2);
    await book.of([{ ...record, isEnabled: false, version: 2 }]);
    expect(asked).toHaveLength(2);
  });
});
