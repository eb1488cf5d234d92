import type { HealthState } from "../../contract/model.ts";

/**
 * How an instance fares, fed by probes and by real traffic. Plain data: kept in its health object, mirrored to Postgres,
 * read with a turn's configuration. Times are milliseconds since the epoch.
 */
export interface HealthRecord {
  state: HealthState;
  sinceMs: number;
  checkedAtMs: number | null;
  latencyMs: number | null;
  lastError: string | null;
  /** Failures of real traffic since its last success. */
  failures: number;
  lastFailureAtMs: number | null;
  /** The breaker is open until then: nobody is sent there while something else is left. Null while it is closed. */
  openUntilMs: number | null;
  /** Grows with every change; a mirror never goes back. */
  version: number;
}
