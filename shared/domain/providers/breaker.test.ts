import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ProviderErrorKind } from "../model/provider-failure.ts";
import {
  afterNews,
  breakerOf,
  type HealthNews,
  healthNow,
  isOutage,
  newHealth,
  openIntervalMs,
  trialPatienceMs,
} from "./breaker.ts";
import type { HealthRecord } from "./health.ts";

const AT = Date.parse("2026-11-21T12:00:00Z");
const KINDS: ProviderErrorKind[] = [
  "unauthenticated",
  "forbidden",
  "not_found",
  "invalid_request",
  "context_too_large",
  "rate_limited",
  "quota_exceeded",
  "overloaded",
  "server_error",
  "unreachable",
  "timeout",
  "stream_cut",
  "protocol",
  "aborted",
];

const failed = (kind: ProviderErrorKind, retryAfterMs?: number): HealthNews => ({
  from: "traffic",
  outcome: { ok: false, kind, error: `It failed: ${kind}.`, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
});
const answered: HealthNews = { from: "traffic", outcome: { ok: true, latencyMs: 12 } };
const listed: HealthNews = { from: "probe", outcome: { ok: true, latencyMs: 7 } };
const notListed = (kind: ProviderErrorKind): HealthNews => ({
  from: "probe",
  outcome: { ok: false, kind, error: `No list: ${kind}.` },
});
const trial: HealthNews = { from: "trial" };

const kind = fc.constantFrom(...KINDS);
const news: fc.Arbitrary<HealthNews> = fc.oneof(
  fc.constant(answered),
  fc.constant(listed),
  fc.constant(trial),
  kind.map((each) => notListed(each)),
  fc.tuple(kind, fc.option(fc.integer({ min: 0, max: 10_000_000 }))).map(([each, ms]) => failed(each, ms ?? undefined)),
);
const steps = fc.array(fc.record({ news, afterMs: fc.integer({ min: 0, max: 400_000 }), newVersion: fc.boolean() }), {
  maxLength: 40,
});

interface Step {
  before: HealthRecord;
  after: HealthRecord;
  news: HealthNews;
  nowMs: number;
  version: number;
}

/** Everything that happens to one instance, one after the other. */
function play(drawn: { news: HealthNews; afterMs: number; newVersion: boolean }[]): Step[] {
  let health = newHealth(AT);
  let nowMs = AT;
  let version = 1;
  return drawn.map((each) => {
    nowMs += each.afterMs;
    version += each.newVersion && each.afterMs % 7 === 0 ? 1 : 0;
    const before = health;
    health = afterNews(before, version, each.news, nowMs);
    return { before, after: health, news: each.news, nowMs, version };
  });
}

const holdsAlways = (test: (step: Step) => void): void =>
  fc.assert(fc.property(steps, (drawn) => play(drawn).forEach(test)));

describe("the breaker of an instance, whatever happens", () => {
  it("numbers every change, so that a mirror never goes back", () => {
    holdsAlways(({ before, after }) => {
      if (after !== before) expect(after.version).toBe(before.version + 1);
    });
  });

  it("is down exactly while it is open, or waits to be tried", () => {
    holdsAlways(({ after, nowMs }) => {
      if (after.state === "down") expect(breakerOf(after, nowMs)).not.toBe("closed");
      if (breakerOf(after, nowMs) === "open") expect(after.state).toBe("down");
    });
  });

  it("is well and closed after an answer", () => {
    holdsAlways(({ news: told, after, nowMs }) => {
      if (told !== answered) return;
      expect(after).toMatchObject({ state: "healthy", failures: 0, lastError: null });
      expect(breakerOf(after, nowMs)).toBe("closed");
    });
  });

  it("lets one in at a time while it is half open", () => {
    holdsAlways(({ news: told, before, after, nowMs, version }) => {
      if (told.from !== "trial" || breakerOf(before, nowMs) !== "half-open" || version !== before.ofVersion) return;
      expect(breakerOf(after, nowMs)).toBe("open");
    });
  });

  it("opens for at most five minutes, except to a key that was refused", () => {
    holdsAlways(({ after, nowMs }) => {
      if (after.openUntilMs === null || after.openUntilMs - nowMs <= 300_000) return;
      expect(after.openUntilMs).toBeGreaterThan(Date.UTC(9999, 0));
    });
  });

  it("says why it is not well", () => {
    holdsAlways(({ after }) => {
      if (after.state === "down") expect(after.lastError).toMatch(/\.$/);
    });
  });

  it("holds nothing against an instance that it said of another key", () => {
    holdsAlways(({ after, nowMs }) => {
      const now = healthNow(after, after.ofVersion + 1, nowMs);
      expect([now.state, breakerOf(now, nowMs)]).toEqual(["unknown", "closed"]);
      expect(afterNews(after, after.ofVersion - 1, answered, nowMs)).toBe(after);
    });
  });
});

const having = (...told: HealthNews[]): HealthRecord =>
  told.reduce((health, each) => afterNews(health, 1, each, AT), newHealth(AT));

describe("the breaker of an instance", () => {
  it.each([
    ["timeout", 1],
    ["unreachable", 2],
    ["server_error", 3],
    ["overloaded", 3],
    ["stream_cut", 3],
  ] as const)("opens at %s after %i in a row", (each, count) => {
    const all = Array.from({ length: count }, () => failed(each));
    expect(breakerOf(having(...all.slice(1)), AT)).toBe("closed");
    expect(breakerOf(having(...all), AT)).toBe("open");
  });

  it("takes a request that was rightly refused for no outage", () => {
    for (const each of ["forbidden", "invalid_request", "context_too_large", "not_found", "aborted"] as const) {
      expect(isOutage(each)).toBe(false);
      expect(having(answered, failed(each)).state).toBe("healthy");
    }
  });

  it("stays open longer each time that a trial fails", () => {
    let health = having(failed("timeout"));
    const intervals: number[] = [];
    let nowMs = AT;
    for (let round = 0; round < 8; round++) {
      intervals.push((health.openUntilMs ?? 0) - nowMs);
      nowMs = health.openUntilMs ?? 0;
      expect(breakerOf(health, nowMs)).toBe("half-open");
      health = afterNews(afterNews(health, 1, trial, nowMs), 1, failed("timeout"), nowMs);
    }
    expect(intervals).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map(openIntervalMs));
    expect(intervals.toSorted((a, b) => a - b)).toEqual(intervals);
    expect(intervals.at(-1)).toBe(300_000);
  });

  it("counts many failures at once as one", () => {
    const one = having(failed("timeout"));
    const many = having(...Array.from({ length: 20 }, () => failed("timeout")));
    expect(many.openUntilMs).toBe(one.openUntilMs);
  });

  it("gives each trial longer than the one before: a machine that loads its model for a minute gets well again", () => {
    const LOADS_MS = 60_000;
    let health = having(failed("timeout"));
    let [nowMs, trials] = [AT, 0];
    while (breakerOf(health, nowMs) !== "closed") {
      nowMs = health.openUntilMs ?? nowMs;
      health = afterNews(health, 1, trial, nowMs);
      const patienceMs = trialPatienceMs(health.failures);
      expect(breakerOf(health, nowMs + Math.min(patienceMs, LOADS_MS) - 1)).toBe("open");
      nowMs += Math.min(patienceMs, LOADS_MS);
      health = afterNews(health, 1, patienceMs < LOADS_MS ? failed("timeout") : answered, nowMs);
      expect(++trials).toBeLessThanOrEqual(3);
    }
    expect(health.state).toBe("healthy");
  });

  it("is down for the others while it is tried, also where a list has answered meanwhile", () => {
    const halfOpen = afterNews(having(failed("timeout")), 1, listed, AT + 6_000);
    expect([halfOpen.state, breakerOf(halfOpen, AT + 6_000)]).toEqual(["degraded", "half-open"]);
    const tried = afterNews(halfOpen, 1, trial, AT + 6_000);
    expect([tried.state, breakerOf(tried, AT + 6_000)]).toEqual(["down", "open"]);
  });

  it("forgets a trial that nobody ended", () => {
    const open = having(failed("timeout"));
    const tried = afterNews(open, 1, trial, AT + 5_000);
    expect(breakerOf(tried, AT + 6_000)).toBe("open");
    expect(breakerOf(tried, AT + 36_000)).toBe("half-open");
  });

  it("stays away as long as a vendor asks for", () => {
    expect(breakerOf(having(failed("rate_limited", 60_000)), AT + 59_999)).toBe("open");
    expect(breakerOf(having(failed("rate_limited", 60_000)), AT + 60_000)).toBe("half-open");
  });

  it("stays away from a key that was refused until a list comes, whatever time passes", () => {
    const refused = having(failed("unauthenticated"));
    expect(breakerOf(refused, AT + 365 * 86_400_000)).toBe("open");
    expect(having(failed("unauthenticated"), listed).state).toBe("healthy");
    expect(having(notListed("unauthenticated"), notListed("timeout")).state).toBe("down");
  });

  it("does not take an open list's word on a key that was refused; it is tried less and less often", () => {
    const open: HealthNews = { from: "probe", outcome: { ok: true, latencyMs: 7, isKeyUnproven: true } };
    const refused = having(failed("unauthenticated"), open);
    expect([refused.state, refused.lastError]).toEqual(["down", "It failed: unauthenticated."]);
    expect(breakerOf(refused, AT + 4_999)).toBe("open");
    expect(breakerOf(refused, AT + 5_000)).toBe("half-open");
    const hourLater = afterNews(refused, 1, open, AT + 3_600_000);
    expect([hourLater.state, hourLater.lastErrorKind]).toEqual(["degraded", "unauthenticated"]);
    const again = afterNews(hourLater, 1, failed("unauthenticated"), AT + 3_600_000);
    const told = afterNews(again, 1, open, AT + 3_600_001);
    expect(breakerOf(told, AT + 3_609_999)).toBe("open");
    expect(afterNews(told, 1, answered, AT + 3_610_000).state).toBe("healthy");
    expect(having(notListed("unauthenticated"), open).state).toBe("healthy");
  });

  it("does not let a list that answers hide that answers fail", () => {
    expect(having(failed("server_error"), listed).state).toBe("degraded");
    expect(breakerOf(having(failed("timeout"), listed), AT)).toBe("open");
    const later = afterNews(having(failed("server_error")), 1, listed, AT + 300_000);
    expect(later.state).toBe("healthy");
  });

  it("takes a machine that answers again for well", () => {
    const gone = having(failed("unreachable"), failed("unreachable"), notListed("unreachable"));
    expect(gone.state).toBe("down");
    expect(afterNews(gone, 1, listed, AT + 1_000).state).toBe("healthy");
  });

  it.each([
    ["unauthenticated", "down"],
    ["unreachable", "down"],
    ["not_found", "unknown"],
    ["timeout", "unknown"],
    ["rate_limited", "degraded"],
    ["server_error", "degraded"],
  ] as const)("reads a first list call that failed with %s as %s", (each, state) => {
    expect(having(notListed(each)).state).toBe(state);
  });
});
