/**
 * `node tests/simulator/simulate.ts`: the object and its clients under virtual time, seed after seed.
 *
 *   --seeds N      how many schedules (default 10,000)      --from S     the first seed (default 1)
 *   --clients 1-5  as many in each; else drawn by chance     --seconds T  stop after this long
 *   --workers N    default 2                                 --mutant M   with a known fault in the code
 *   --seed S       one schedule, with the trace of its last steps (--trace N lines, default 200)
 *   --mutants      every mutant until it is caught           --report F   write what happened as JSON
 *
 * Ctrl-C ends a run early, with the report of what was done; a second one ends it at once.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { checkMutants, type MutantResult, tableOf } from "./check-mutants.ts";
import { registerSimulatorHooks } from "./hooks.ts";
import { MUTANTS } from "./mutants.ts";
import { reportOf } from "./report.ts";
import { runWorkers } from "./run-workers.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "10000" },
    from: { type: "string", default: "1" },
    clients: { type: "string" },
    seconds: { type: "string" },
    workers: { type: "string", default: "2" },
    mutant: { type: "string" },
    seed: { type: "string" },
    trace: { type: "string", default: "200" },
    mutants: { type: "boolean", default: false },
    report: { type: "string" },
  },
});

function numberOf(name: "seeds" | "from" | "clients" | "seconds" | "workers" | "seed" | "trace"): number {
  const number = Number(values[name]);
  if (!Number.isSafeInteger(number) || number < 0)
    throw new Error(`--${name} takes a whole number, not "${values[name]}".`);
  return number;
}

const clients = values.clients === undefined ? null : numberOf("clients");

async function replay(seed: number): Promise<void> {
  const mutant = values.mutant === undefined ? null : MUTANTS.find(({ name }) => name === values.mutant);
  if (mutant === undefined) throw new Error(`There is no mutant "${values.mutant}".`);
  registerSimulatorHooks(mutant);
  const { runSchedule } = await import("./run-schedule.ts");
  const trace: string[] = [];
  console.warn = (...words) => trace.push(`     warns: ${words.map(String).join(" ").slice(0, 300)}`);
  console.error = (...words) => trace.push(`     says: ${words.map(String).join(" ").slice(0, 300)}`);
  const outcome = await runSchedule(seed, { trace, ...(clients === null ? {} : { clients }) });
  console.log(trace.slice(-numberOf("trace")).join("\n"));
  const { violations, ...rest } = outcome;
  console.log(rest);
  for (const { check, detail } of violations) console.log(`VIOLATION ${check}: ${detail}`);
  process.exitCode = violations.length > 0 ? 1 : 0;
}

async function run(): Promise<void> {
  const from = numberOf("from");
  let told = performance.now();
  const began = told;
  const interrupted = new AbortController();
  process.once("SIGINT", () => interrupted.abort());
  process.once("SIGTERM", () => interrupted.abort());
  const sum = await runWorkers(
    {
      from,
      until: values.seconds === undefined ? from + numberOf("seeds") : Number.MAX_SAFE_INTEGER,
      endsAtMs: values.seconds === undefined ? null : Date.now() + numberOf("seconds") * 1_000,
      workers: numberOf("workers"),
      clients,
      mutant: values.mutant ?? null,
      untilViolation: false,
      signal: interrupted.signal,
    },
    ({ schedules, violating }) => {
      if (performance.now() - told < 10_000) return;
      told = performance.now();
      const perSecond = Math.round((schedules * 1_000) / (told - began));
      console.log(
        `${schedules.toLocaleString("en")} schedules, ${violating} with a violation, ${perSecond.toLocaleString("en")}/s`,
      );
    },
  );
  let mutants: MutantResult[] = [];
  if (values.mutants && !interrupted.signal.aborted) {
    mutants = await checkMutants(numberOf("workers"), undefined, undefined, ({ name, caughtBy, afterSchedules }) =>
      console.log(`${name}: ${caughtBy ?? "NOBODY"} (${afterSchedules})`),
    );
    console.log(tableOf(mutants));
  }
  const report = reportOf(sum, { from, clients, mutants });
  if (values.report !== undefined) writeFileSync(values.report, `${JSON.stringify(report, null, 2)}\n`);
  for (const { seed, check, detail } of sum.violations) console.log(`VIOLATION seed ${seed}: ${check}: ${detail}`);
  const { violations: _violations, mutants: _mutants, ...shown } = report;
  console.log(shown);
  process.exitCode = sum.violating > 0 || mutants.some(({ caughtBy }) => caughtBy === null) ? 1 : 0;
}

if (values.seed !== undefined) await replay(numberOf("seed"));
else await run();
