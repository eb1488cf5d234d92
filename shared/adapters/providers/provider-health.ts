/** How a provider fares, from probes and from real traffic: pure steps from one state to the next. */
import type { HealthState } from "../../contract/model.ts";
import type { ProviderErrorKind } from "../../ports/model-provider.ts";

export interface HealthRecord {
  state: HealthState;
  since: Date;
  checkedAt: Date | null;
  latencyMs: number | null;
  lastError?: string;
  /** Failures of real traffic since its last success. */
  failures: number;
  lastFailureAt: Date | null;
}

export type ProbeOutcome = { ok: true; latencyMs: number } | { ok: false; kind: ProviderErrorKind; message: string };
export type TrafficOutcome = { ok: true; latencyMs: number } | { ok: false; error: string };

const DOWN_AFTER_FAILURES = 3;
/** A model list that answers does not make answers that failed this recently undone. */
const FAILURE_MEMORY_MS = 300_000;

/** A list call that is missing or slow says nothing of the models behind it. */
const PROBE_STATES: Partial<Record<ProviderErrorKind, HealthState>> = {
  unauthenticated: "down",
  unreachable: "down",
  quota_exceeded: "degraded",
  rate_limited: "degraded",
  overloaded: "degraded",
  server_error: "degraded",
};

export const newHealth = (now: Date, state: HealthState = "unknown"): HealthRecord => ({
  state,
  since: now,
  checkedAt: null,
  latencyMs: null,
  failures: 0,
  lastFailureAt: null,
});

function step(record: HealthRecord, state: HealthState, now: Date, error: string | undefined): HealthRecord {
  const { lastError: _previous, ...rest } = record;
  return {
    ...rest,
    state,
    since: state === record.state ? record.since : now,
    checkedAt: now,
    ...(error === undefined ? {} : { lastError: error }),
  };
}

export function afterProbe(record: HealthRecord, outcome: ProbeOutcome, now: Date): HealthRecord {
  if (!outcome.ok) return step(record, PROBE_STATES[outcome.kind] ?? "unknown", now, outcome.message);
  const remembered =
    record.lastFailureAt !== null && now.getTime() - record.lastFailureAt.getTime() < FAILURE_MEMORY_MS;
  if (record.failures > 0 && remembered) {
    return { ...step(record, "degraded", now, record.lastError), latencyMs: outcome.latencyMs };
  }
  return { ...step(record, "healthy", now, undefined), latencyMs: outcome.latencyMs, failures: 0, lastFailureAt: null };
}

export function afterTraffic(record: HealthRecord, outcome: TrafficOutcome, now: Date): HealthRecord {
  if (outcome.ok) {
    return {
      ...step(record, "healthy", now, undefined),
      latencyMs: outcome.latencyMs,
      failures: 0,
      lastFailureAt: null,
    };
  }
  const failures = record.failures + 1;
  const state = failures >= DOWN_AFTER_FAILURES || record.state === "down" ? "down" : "degraded";
  return { ...step(record, state, now, outcome.error), failures, lastFailureAt: now };
}
