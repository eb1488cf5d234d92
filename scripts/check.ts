/**
 * `node scripts/check.ts <name ...>`: the checks by name, or `all` with the tests behind them, and a summary.
 * What `all` counted is left in .cache/test-count for .ci/run.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import * as z from "zod";

const root = join(import.meta.dirname, "..");
const cache = join(root, ".cache");
const sources = ["shared", "workers", "durable-objects", "clients", "selfhost", "scripts", "tests", "bench"];

interface Check {
  name: string;
  group: "lint" | "format" | "typecheck";
  /** A script below node_modules or the checkout, run by this Node, and its arguments. */
  command: [string, ...string[]];
  /** What the output must hold besides a zero exit: some tools find nothing to check and call that a success. */
  proof?: RegExp;
}

// TypeScript 7 by its own path: version 6, which other tools need, puts a `tsc` into .bin as well.
const typescript = "node_modules/typescript-native/bin/tsc";
const checks: Check[] = [
  { name: "types of the Worker", group: "typecheck", command: [typescript, "-p", "workers/tsconfig.json"] },
  { name: "types of the Node side", group: "typecheck", command: [typescript, "-p", "tsconfig.json"] },
  { name: "types of the simulator", group: "typecheck", command: [typescript, "-p", "tests/simulator/tsconfig.json"] },
  { name: "types of the page", group: "typecheck", command: [typescript, "-p", "clients/web/tsconfig.json"] },
  { name: "format", group: "format", command: ["node_modules/@biomejs/biome/bin/biome", "format"] },
  {
    name: "lint",
    group: "lint",
    command: ["node_modules/@biomejs/biome/bin/biome", "check", "--formatter-enabled=false"],
  },
  {
    name: "import directions",
    group: "lint",
    command: [
      "node_modules/dependency-cruiser/bin/dependency-cruiser.mjs",
      "--config",
      ".dependency-cruiser.cjs",
      // The fixtures break each rule on purpose.
      "--exclude",
      "(^|/)dist/|\\.mosaic/|^tests/fences/fixtures/",
      ...sources,
    ],
    proof: /\(\d{3,} modules/,
  },
  { name: "unused code", group: "lint", command: ["node_modules/knip/bin/knip.js"] },
  { name: "the guide's content", group: "lint", command: ["scripts/build-guide.ts", "--check"] },
  { name: "the catalogue's rows", group: "lint", command: ["scripts/build-catalogue.ts", "--check"] },
];

interface Outcome {
  name: string;
  passed: number;
  failed: number;
}

interface Ended {
  code: number | null;
  output: string;
}

function run(command: readonly string[], shows: boolean): Promise<Ended> {
  const child = spawn(process.execPath, [...command], {
    cwd: root,
    stdio: ["ignore", shows ? "inherit" : "pipe", shows ? "inherit" : "pipe"],
    env: { ...process.env, WRANGLER_SEND_METRICS: "false" },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  return new Promise((resolve) => {
    child.on("error", (error) => resolve({ code: 1, output: error.message }));
    child.on("close", (code) => resolve({ code, output }));
  });
}

async function runCheck({ name, command, proof }: Pick<Check, "name" | "command" | "proof">): Promise<Outcome> {
  const started = performance.now();
  const { code, output } = await run(command, false);
  const isFine = code === 0 && (proof?.test(output) ?? true);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${isFine ? "ok    " : "FAILED"} ${name} (${seconds} s)`);
  if (!isFine) console.log(code === 0 ? `It found nothing to check.\n${output}` : output);
  return { name, passed: Number(isFine), failed: Number(!isFine) };
}

/** As many at a time as there are processors. */
async function runChecks(wanted: Check[]): Promise<Outcome[]> {
  const waiting = [...wanted];
  const outcomes: Outcome[] = [];
  const work = async (): Promise<void> => {
    for (let check = waiting.shift(); check; check = waiting.shift()) outcomes.push(await runCheck(check));
  };
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, work));
  return outcomes;
}

const TestReport = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  testResults: z.array(z.object({ status: z.string(), assertionResults: z.array(z.object({ status: z.string() })) })),
});

/** A file that could not even be loaded counts as one failure, and so does an error outside of any test. */
async function runTests(project: string): Promise<Outcome> {
  const report = join(cache, `tests-${project}.json`);
  rmSync(report, { force: true });
  const reporters = ["--reporter", "default", "--reporter", "json", `--outputFile.json=${report}`];
  const { code } = await run(["node_modules/vitest/vitest.mjs", "run", "--project", project, ...reporters], true);
  const name = `tests: ${project}`;
  if (!existsSync(report)) return { name, passed: 0, failed: 1 };
  const { numPassedTests, numFailedTests, testResults } = TestReport.parse(JSON.parse(readFileSync(report, "utf8")));
  const isBroken = (file: (typeof testResults)[number]): boolean =>
    file.status === "failed" && file.assertionResults.every(({ status }) => status !== "failed");
  const failed = numFailedTests + testResults.filter(isBroken).length;
  return { name, passed: numPassedTests, failed: code === 0 ? failed : Math.max(1, failed) };
}

async function runAll(): Promise<Outcome[]> {
  const outcomes = await runChecks(checks);
  outcomes.push(await runCheck({ name: "build", command: ["scripts/build.ts"] }));
  outcomes.push(...(await Promise.all(["node", "workerd"].map(runTests))));
  // The stack's tests start processes by the dozen: alone, after the others.
  outcomes.push(await runTests("stack"));
  return outcomes;
}

async function main(names: string[]): Promise<void> {
  const groups = checks.map(({ group }) => group);
  const unknown = names.find((name) => name !== "all" && !groups.some((group) => group === name));
  if (unknown !== undefined || names.length === 0)
    throw new Error(`Say what to check: ${[...new Set(groups)].join(", ")}, or all.`);
  mkdirSync(cache, { recursive: true });
  rmSync(join(cache, "test-count"), { force: true });
  const outcomes = names.includes("all")
    ? await runAll()
    : await runChecks(checks.filter(({ group }) => names.includes(group)));
  const sum = (key: "passed" | "failed"): number => outcomes.reduce((total, outcome) => total + outcome[key], 0);
  const count = `${sum("passed")} passed, ${sum("failed")} failed`;
  if (names.includes("all")) {
    writeFileSync(join(cache, "test-count"), count);
    console.log("");
    for (const { name, passed, failed } of outcomes)
      console.log(`${failed === 0 ? "ok    " : "FAILED"} ${name}: ${passed} passed, ${failed} failed`);
  }
  console.log(count);
  process.exitCode = sum("failed") === 0 ? 0 : 1;
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
