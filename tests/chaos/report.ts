/**
 * `npm run reliability [-- --seed S] [--keep <folder>] [--write-only]`: makes every long run and docs/reliability.md from
 * them. With `--keep` what a run wrote stays in that folder, and a run whose report is there is not made again; with
 * `--write-only` none is.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Reports, reliabilityPage } from "./reliability-page.ts";

const root = join(import.meta.dirname, "..", "..");
const { values } = parseArgs({
  options: {
    keep: { type: "string" },
    seed: { type: "string", default: new Date().toISOString().slice(0, 10) },
    "write-only": { type: "boolean", default: false },
  },
});

const RUNS: Record<keyof Reports, string[]> = {
  fuzz: ["tests/fuzz/main.ts"],
  simulator: ["tests/simulator/simulate.ts", "--seeds", "1000000", "--mutants"],
  chaosMutants: ["tests/chaos/run-mutants.ts"],
  chaos: ["tests/chaos/main.ts", "--messages", "50000", "--kills", "210", "--seed", values.seed],
};

const folder = values.keep ?? mkdtempSync(join(tmpdir(), "mosaic-reliability-"));
const pathOf = (name: string): string => join(folder, `${name}.json`);

function start(script: string, args: readonly string[]): Promise<number | null> {
  const child = spawn(process.execPath, [join(root, script), ...args], { cwd: root, stdio: "inherit" });
  return new Promise((resolve) => child.on("close", resolve));
}

/** A run that finds something ends with an error and a report: the page must say so. */
async function run(name: string, [script = "", ...args]: string[]): Promise<void> {
  if (existsSync(pathOf(name))) return console.log(`${name}: taken from ${pathOf(name)}`);
  console.log(`${name}: running`);
  await start(script, [...args, "--report", pathOf(name)]);
  if (!existsSync(pathOf(name))) throw new Error(`${name} made no report; its own lines above say why.`);
}

mkdirSync(folder, { recursive: true });
if (!values["write-only"]) for (const [name, command] of Object.entries(RUNS)) await run(name, command);
const reports = Reports.parse(
  Object.fromEntries(Object.keys(RUNS).map((name) => [name, JSON.parse(readFileSync(pathOf(name), "utf8"))])),
);
writeFileSync(join(root, "docs", "reliability.md"), reliabilityPage(reports, new Date().toISOString().slice(0, 10)));
// The built-in guide answers from the documents.
if ((await start("scripts/build-guide.ts", [])) !== 0)
  throw new Error("The guide could not be made from the new page.");
console.log("docs/reliability.md is made anew.");
const found = reports.chaos.violations.length + reports.simulator.violating;
const unseen = [...reports.chaosMutants.mutants, ...reports.simulator.mutants].filter(
  ({ caughtBy }) => caughtBy === null,
);
if (found + unseen.length > 0) {
  console.log(`${found} violations, ${unseen.length} mutants that nobody saw.`);
  process.exitCode = 1;
}
