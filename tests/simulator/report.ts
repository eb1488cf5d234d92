import type { MutantResult } from "./check-mutants.ts";
import type { Summary } from "./run-seeds.ts";

/** What `--report` writes; docs/reliability.md is made from it. */
export interface SimulatorReport {
  kind: "simulator";
  /** ISO time of the run's end. */
  at: string;
  firstSeed: number;
  /** Clients in each schedule; null: drawn by chance, 1 to 5. */
  clients: number | null;
  schedules: number;
  schedulesPerSecond: number;
  tookSeconds: number;
  withFiveClients: number;
  steps: number;
  events: number;
  messagesAcknowledged: number;
  modelCalls: number;
  faults: Record<string, number>;
  /** Schedules that broke a promise; 0 is the only good number. */
  violating: number;
  violations: { seed: number; check: string; detail: string }[];
  mutants: MutantResult[];
}

export function reportOf(
  sum: Summary & { tookMs: number },
  run: { from: number; clients: number | null; mutants: MutantResult[] },
): SimulatorReport {
  return {
    kind: "simulator",
    at: new Date().toISOString(),
    firstSeed: run.from,
    clients: run.clients,
    schedules: sum.schedules,
    schedulesPerSecond: Math.round(sum.schedules / (sum.tookMs / 1_000)),
    tookSeconds: Math.round(sum.tookMs / 100) / 10,
    withFiveClients: sum.withFiveClients,
    steps: sum.steps,
    events: sum.events,
    messagesAcknowledged: sum.acknowledged,
    modelCalls: sum.modelCalls,
    faults: Object.fromEntries(Object.entries(sum.faults).sort(([one], [other]) => (one < other ? -1 : 1))),
    violating: sum.violating,
    violations: sum.violations,
    mutants: run.mutants,
  };
}
