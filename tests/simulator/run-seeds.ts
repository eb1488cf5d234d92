/** Runs a range of seeds and sums up; what one worker does. */
import type { Outcome } from "./run-schedule.ts";

export interface Summary {
  schedules: number;
  withFiveClients: number;
  steps: number;
  events: number;
  acknowledged: number;
  modelCalls: number;
  faults: Record<string, number>;
  /** Schedules that broke a promise: at most `KEPT` of them with what they broke. */
  violating: number;
  violations: { seed: number; check: string; detail: string }[];
}

const KEPT = 50;

export const emptySummary = (): Summary => ({
  schedules: 0,
  withFiveClients: 0,
  steps: 0,
  events: 0,
  acknowledged: 0,
  modelCalls: 0,
  faults: {},
  violating: 0,
  violations: [],
});

export function addOutcome(sum: Summary, outcome: Outcome): void {
  sum.schedules++;
  if (outcome.clients === 5) sum.withFiveClients++;
  sum.steps += outcome.steps;
  sum.events += outcome.events;
  sum.acknowledged += outcome.acknowledged;
  sum.modelCalls += outcome.modelCalls;
  for (const [fault, times] of Object.entries(outcome.faults)) sum.faults[fault] = (sum.faults[fault] ?? 0) + times;
  if (outcome.violations.length === 0) return;
  sum.violating++;
  for (const { check, detail } of outcome.violations.slice(0, 3)) {
    if (sum.violations.length < KEPT) sum.violations.push({ seed: outcome.seed, check, detail: detail.slice(0, 600) });
  }
}

export function mergeSummaries(sum: Summary, other: Summary): void {
  for (const key of [
    "schedules",
    "withFiveClients",
    "steps",
    "events",
    "acknowledged",
    "modelCalls",
    "violating",
  ] as const)
    sum[key] += other[key];
  for (const [fault, times] of Object.entries(other.faults)) sum.faults[fault] = (sum.faults[fault] ?? 0) + times;
  sum.violations = [...sum.violations, ...other.violations].sort((one, next) => one.seed - next.seed).slice(0, KEPT);
}
