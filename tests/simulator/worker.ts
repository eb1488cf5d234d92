/** One process's share of the seeds: every `stride`-th from `from`. Talks to `simulate.ts` in messages. */
import { parentPort, workerData } from "node:worker_threads";
import { registerSimulatorHooks } from "./hooks.ts";
import { MUTANTS } from "./mutants.ts";
import { addOutcome, emptySummary, type Summary } from "./run-seeds.ts";

export interface Share {
  from: number;
  stride: number;
  /** Seeds below this one. */
  until: number;
  /** Epoch ms at which to stop in any case. */
  endsAtMs: number | null;
  clients: number | null;
  mutant: string | null;
  /** Whether the first violation ends it. */
  untilViolation: boolean;
}

export type Progress = { summary: Summary; isDone: boolean };

const REPORT_EVERY = 200;
const share = workerData as Share;
const mutant = share.mutant === null ? null : MUTANTS.find((each) => each.name === share.mutant);
if (mutant === undefined) throw new Error(`There is no mutant "${share.mutant}".`);
registerSimulatorHooks(mutant);
// What the object says while its world falls apart is expected, and would be most of the time spent.
console.warn = () => {};
console.error = () => {};
// Errors are a matter of course here, and where each came from costs more than the rest of it; a replay tells.
Error.stackTraceLimit = 0;
const { runSchedule } = await import("./run-schedule.ts");

let summary = emptySummary();
let isStopped = false;
parentPort?.on("message", () => {
  isStopped = true;
});
const tell = (isDone: boolean): void => {
  parentPort?.postMessage({ summary, isDone } satisfies Progress);
  summary = emptySummary();
};
for (let seed = share.from; seed < share.until; seed += share.stride) {
  addOutcome(summary, await runSchedule(seed, share.clients === null ? {} : { clients: share.clients }));
  if (share.untilViolation && summary.violating > 0) break;
  if (isStopped) break;
  if (share.endsAtMs !== null && Date.now() >= share.endsAtMs) break;
  if (summary.schedules >= REPORT_EVERY) tell(false);
}
tell(true);
