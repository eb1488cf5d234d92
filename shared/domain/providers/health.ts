import type { HealthState } from "../../contract/model.ts";
import type { ProviderErrorKind } from "../model/provider-failure.ts";

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
  lastErrorKind: ProviderErrorKind | null;
  /** Failures in a row. */
  failures: number;
  lastFailureAtMs: number | null;
  /** The breaker is open until then: nobody is sent there while something else is left. Null while it is closed. */
  openUntilMs: number | null;
  /** Somebody tries whether it is well again; until then nobody else does. */
  trialUntilMs: number | null;
  /** The version of the instance's record that this was learnt of: a new key or address starts anew. */
  ofVersion: number;
  /** Grows with every change; a mirror never goes back. */
  version: number;
}
