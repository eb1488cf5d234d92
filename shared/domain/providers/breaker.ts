/** The circuit breaker of a provider instance: pure steps from one state to the next, from probes and real traffic. */
import type { HealthState } from "../../contract/model.ts";
import type { ProviderErrorKind } from "../model/provider-failure.ts";
import type { HealthRecord } from "./health.ts";

export type ProbeOutcome =
  /** `isKeyUnproven`: the list is open to everybody, whatever key they have. */
  { ok: true; latencyMs: number; isKeyUnproven?: boolean } | { ok: false; kind: ProviderErrorKind; error: string };
export type TrafficOutcome =
  | { ok: true; latencyMs: number }
  | { ok: false; kind: ProviderErrorKind; error: string; retryAfterMs?: number };

/** What somebody learnt of an instance. */
export type HealthNews =
  | { from: "probe"; outcome: ProbeOutcome }
  | { from: "traffic"; outcome: TrafficOutcome }
  /** Somebody is sent there to see whether it is well again. */
  | { from: "trial" };

/** Open until the instance's record changes, or a probe succeeds: the last millisecond that a date of four digits can say. */
export const UNTIL_CHANGED_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

const FIRST_INTERVAL_MS = 5_000;
const LONGEST_INTERVAL_MS = 300_000;
/** How long nobody else is sent to an instance that is being tried. */
const TRIAL_MS = 30_000;
const LONGEST_TRIAL_MS = 75_000;
const FIRST_PATIENCE_MS = 15_000;
/** A list that answers does not make answers that failed this recently undone. */
const FAILURE_MEMORY_MS = 300_000;

/**
 * After how many failures in a row nobody is sent there any more. What costs the user a minute each time counts at once;
 * what is missing here does not speak against the instance.
 */
const OPENS_AFTER: Partial<Record<ProviderErrorKind, number>> = {
  unauthenticated: 1,
  quota_exceeded: 1,
  timeout: 1,
  rate_limited: 3,
  unreachable: 2,
  overloaded: 3,
  server_error: 3,
  stream_cut: 3,
  protocol: 3,
};

/** A list call that is missing or slow says nothing of the models behind it. */
const PROBE_SAYS: Partial<Record<ProviderErrorKind, HealthState>> = {
  unauthenticated: "down",
  unreachable: "down",
  quota_exceeded: "degraded",
  rate_limited: "degraded",
  overloaded: "degraded",
  server_error: "degraded",
};

/** A list that answers disproves these. */
const DISPROVED_BY_LIST: readonly (ProviderErrorKind | null)[] = ["unauthenticated", "unreachable"];

/** Whether a failure of real traffic speaks against the instance; a request that it rightly refuses does not. */
export const isOutage = (kind: ProviderErrorKind): boolean => OPENS_AFTER[kind] !== undefined;

export const newHealth = (nowMs: number, ofVersion = 1): HealthRecord => ({
  state: "unknown",
  sinceMs: nowMs,
  checkedAtMs: null,
  latencyMs: null,
  lastError: null,
  lastErrorKind: null,
  failures: 0,
  lastFailureAtMs: null,
  openUntilMs: null,
  trialUntilMs: null,
  ofVersion,
  version: 0,
});

/** How long the breaker stays open after so many failures in a row, in milliseconds. */
export const openIntervalMs = (failures: number): number =>
  Math.min(LONGEST_INTERVAL_MS, FIRST_INTERVAL_MS * 2 ** Math.min(Math.max(failures, 1) - 1, 10));

/**
 * How long a trial waits for a first sign of life, in milliseconds, after so many failures in a row. Each waits longer than
 * the one before: a machine that takes its time to load a model, and is asked for it anew each time, gets that time in the
 * end; one that is gone costs whoever tries it little at first, and is tried less and less often.
 */
export const trialPatienceMs = (failures: number): number =>
  FIRST_PATIENCE_MS * 2 ** Math.min(Math.max(failures, 1) - 1, 10);

/**
 * `half-open`: one may be sent there, to see. `open`: nobody, as long as anything else is left.
 */
export function breakerOf(health: HealthRecord, nowMs: number): "closed" | "half-open" | "open" {
  const { openUntilMs, trialUntilMs } = health;
  if (openUntilMs === null) return "closed";
  return nowMs < openUntilMs || (trialUntilMs !== null && nowMs < trialUntilMs) ? "open" : "half-open";
}

/** How an instance of this record's version is to be taken now: what was learnt of an earlier key counts for nothing. */
export function healthNow(health: HealthRecord, recordVersion: number, nowMs: number): HealthRecord {
  if (health.ofVersion < recordVersion) return { ...newHealth(nowMs, recordVersion), version: health.version };
  const waits = health.state === "down" && breakerOf(health, nowMs) === "half-open";
  return waits ? { ...health, state: "degraded" } : health;
}

/**
 * The next state. News of an earlier version of the instance's record is no news: the same comes back.
 */
export function afterNews(before: HealthRecord, ofVersion: number, news: HealthNews, nowMs: number): HealthRecord {
  if (ofVersion < before.ofVersion) return before;
  const health = ofVersion > before.ofVersion ? { ...newHealth(nowMs, ofVersion), version: before.version } : before;
  const after = step(health, news, nowMs);
  return after === health ? before : after;
}

function step(health: HealthRecord, news: HealthNews, nowMs: number): HealthRecord {
  if (news.from === "trial") return begunTrial(health, nowMs);
  return news.from === "probe" ? afterProbe(health, news.outcome, nowMs) : afterTraffic(health, news.outcome, nowMs);
}

function begunTrial(health: HealthRecord, nowMs: number): HealthRecord {
  if (breakerOf(health, nowMs) !== "half-open") return health;
  const lastsMs = Math.min(LONGEST_TRIAL_MS, Math.max(TRIAL_MS, trialPatienceMs(health.failures)));
  const { checkedAtMs } = health;
  // For everybody else it is down until then; nobody has learnt anything of it yet.
  return change(health, "down", nowMs, { trialUntilMs: nowMs + lastsMs, checkedAtMs });
}

function change(
  health: HealthRecord,
  state: HealthState,
  nowMs: number,
  changes: Partial<HealthRecord> = {},
): HealthRecord {
  const sinceMs = state === health.state ? health.sinceMs : nowMs;
  return { ...health, checkedAtMs: nowMs, ...changes, state, sinceMs, version: health.version + 1 };
}

/** UTF-16 units; it is one sentence, and goes with every reading of the configuration. */
const LONGEST_ERROR = 500;
const shortened = (error: string): string => error.slice(0, LONGEST_ERROR).toWellFormed();

const WELL: Partial<HealthRecord> = {
  failures: 0,
  lastFailureAtMs: null,
  lastError: null,
  lastErrorKind: null,
  openUntilMs: null,
  trialUntilMs: null,
};

function afterProbe(health: HealthRecord, outcome: ProbeOutcome, nowMs: number): HealthRecord {
  if (!outcome.ok) return afterFailedProbe(health, outcome, nowMs);
  const { latencyMs, isKeyUnproven = false } = outcome;
  const { lastFailureAtMs, lastErrorKind, failures, openUntilMs } = health;
  if (isKeyUnproven && lastErrorKind === "unauthenticated" && failures > 0 && lastFailureAtMs !== null) {
    // Nobody knows when the key counts again: whether it does is tried, as with any other failure.
    const until = Math.min(openUntilMs ?? 0, lastFailureAtMs + openIntervalMs(failures));
    const isOpen = breakerOf({ ...health, openUntilMs: until }, nowMs) === "open";
    return change(health, isOpen ? "down" : "degraded", nowMs, { latencyMs, openUntilMs: until });
  }
  const remembered = failures > 0 && lastFailureAtMs !== null && nowMs - lastFailureAtMs < FAILURE_MEMORY_MS;
  if (!remembered || DISPROVED_BY_LIST.includes(lastErrorKind))
    return change(health, "healthy", nowMs, { ...WELL, latencyMs });
  const isOpen = breakerOf(health, nowMs) === "open";
  return change(health, isOpen ? "down" : "degraded", nowMs, { latencyMs });
}

function afterFailedProbe(
  health: HealthRecord,
  { kind, error }: Extract<ProbeOutcome, { ok: false }>,
  nowMs: number,
): HealthRecord {
  const told = { lastError: shortened(error), lastErrorKind: kind };
  if (kind === "unauthenticated") return change(health, "down", nowMs, { ...told, openUntilMs: UNTIL_CHANGED_MS });
  if (kind === "unreachable") {
    const failures = health.failures + 1;
    const openUntilMs = Math.max(health.openUntilMs ?? 0, nowMs + openIntervalMs(failures + 2));
    return change(health, "down", nowMs, {
      ...told,
      failures,
      lastFailureAtMs: nowMs,
      openUntilMs,
      trialUntilMs: null,
    });
  }
  const says = PROBE_SAYS[kind];
  // What is open stays open, and what is known better stays known.
  if (says === undefined || health.state === "down")
    return change(health, health.state, nowMs, health.lastError ? {} : told);
  return change(health, says, nowMs, told);
}

function afterTraffic(health: HealthRecord, outcome: TrafficOutcome, nowMs: number): HealthRecord {
  if (outcome.ok) return change(health, "healthy", nowMs, { ...WELL, latencyMs: outcome.latencyMs });
  const { kind, error, retryAfterMs } = outcome;
  const opensAfter = OPENS_AFTER[kind];
  if (opensAfter === undefined) return health;
  const told = { lastError: shortened(error), lastErrorKind: kind, lastFailureAtMs: nowMs };
  if (kind === "unauthenticated") {
    const failures = health.failures + 1;
    return change(health, "down", nowMs, { ...told, failures, openUntilMs: UNTIL_CHANGED_MS, trialUntilMs: null });
  }
  const { openUntilMs } = health;
  // It was sent before the breaker opened: many at once say the same thing, once.
  if (openUntilMs !== null && nowMs < openUntilMs) return change(health, "down", nowMs, { lastFailureAtMs: nowMs });
  const failures = health.failures + 1;
  const asked = retryAfterMs === undefined ? 0 : Math.min(retryAfterMs, LONGEST_INTERVAL_MS);
  if (failures < opensAfter && asked === 0 && openUntilMs === null)
    return change(health, "degraded", nowMs, { ...told, failures });
  const until = nowMs + Math.max(asked, openIntervalMs(failures));
  return change(health, "down", nowMs, { ...told, failures, openUntilMs: until, trialUntilMs: null });
}
