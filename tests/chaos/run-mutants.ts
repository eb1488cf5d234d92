/**
 * `npm run chaos:mutants -- [--only name] [--report file.json]`: puts one known fault at a time into a copy of the
 * checkout and runs the chaos there. The checker must speak of each, and of nothing where no fault was put in.
 */
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, sep } from "node:path";
import { parseArgs } from "node:util";
import * as z from "zod";
import { type ChaosMutant, MUTANTS } from "./mutants.ts";

export interface MutantOutcome {
  name: string;
  what: string;
  /** The rule of the checker that spoke first; null: nobody noticed. */
  caughtBy: string | null;
  detail: string;
  seconds: number;
}

const root = join(import.meta.dirname, "..", "..");
const LEFT_OUT = new Set(["node_modules", ".git", ".cache", ".mosaic"]);
const RUN = ["--messages", "400", "--epoch", "400", "--kills", "14", "--conversations", "8", "--outage", "3000"];
const LIMITS = ["--within", "60000", "--quiet", "45000"];

const Found = z.object({ violations: z.array(z.object({ rule: z.string(), detail: z.string() })) });

/** Everything but what is made; the working tree is never touched. */
function copyCheckout(): string {
  const copy = mkdtempSync(join(tmpdir(), "mosaic-mutant-"));
  cpSync(root, copy, {
    recursive: true,
    filter: (path) => !LEFT_OUT.has(relative(root, path).split(sep)[0] ?? ""),
  });
  // Named by what they are made from, so what the copy adds or finds there is its own.
  mkdirSync(join(root, ".cache"), { recursive: true });
  for (const shared of ["node_modules", ".cache"]) symlinkSync(join(root, shared), join(copy, shared));
  return copy;
}

/** @throws Error when the place is not there exactly once: then the mutant is out of date */
export function mutate(
  source: string,
  { name, find, replace }: Pick<ChaosMutant, "name" | "find" | "replace">,
): string {
  const parts = source.split(find);
  if (parts.length !== 2)
    throw new Error(`Mutant ${name}: what it changes is there ${parts.length - 1} times, not once.`);
  return parts.join(replace);
}

async function chaosIn(checkout: string, seed: string): Promise<z.infer<typeof Found>["violations"]> {
  const report = join(checkout, "chaos-report.json");
  rmSync(report, { force: true });
  const main = join(checkout, "tests", "chaos", "main.ts");
  const child = spawn(process.execPath, [main, ...RUN, ...LIMITS, "--seed", seed, "--report", report], {
    cwd: checkout,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  await new Promise((resolve) => child.on("close", resolve));
  if (!existsSync(report)) throw new Error(`The chaos run made no report:\n${output.slice(-4_000)}`);
  return Found.parse(JSON.parse(readFileSync(report, "utf8"))).violations;
}

async function tryMutant(mutant: ChaosMutant, seed: string): Promise<MutantOutcome> {
  const startedAt = performance.now();
  const checkout = copyCheckout();
  try {
    const path = join(checkout, mutant.file);
    writeFileSync(path, mutate(readFileSync(path, "utf8"), mutant));
    const violations = await chaosIn(checkout, seed);
    const caught = violations.find(({ rule }) => mutant.breaks.some((expected) => expected === rule));
    const { name, what } = mutant;
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    return { name, what, caughtBy: caught?.rule ?? null, detail: caught?.detail ?? "", seconds };
  } finally {
    rmSync(checkout, { recursive: true, force: true });
  }
}

async function withoutMutant(seed: string): Promise<void> {
  const checkout = copyCheckout();
  try {
    const violations = await chaosIn(checkout, seed);
    const [first] = violations;
    if (first) throw new Error(`Without any mutant the checker says ${first.rule}: ${first.detail}`);
  } finally {
    rmSync(checkout, { recursive: true, force: true });
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { only: { type: "string" }, seed: { type: "string", default: "mutants" }, report: { type: "string" } },
  });
  const chosen = MUTANTS.filter(({ name }) => values.only === undefined || values.only === name);
  if (chosen.length === 0) throw new Error(`There is no mutant ${values.only}.`);
  if (values.only === undefined) {
    await withoutMutant(values.seed);
    console.log("No mutant: the checker has nothing to say.");
  }
  const outcomes: MutantOutcome[] = [];
  for (const mutant of chosen) {
    const outcome = await tryMutant(mutant, values.seed);
    outcomes.push(outcome);
    const verdict = outcome.caughtBy === null ? "NOT CAUGHT" : `caught by ${outcome.caughtBy}`;
    console.log(`${mutant.name}: ${verdict} in ${outcome.seconds} s. ${outcome.detail}`);
  }
  if (values.report)
    writeFileSync(values.report, `${JSON.stringify({ kind: "chaos-mutants", mutants: outcomes }, null, 2)}\n`);
  process.exitCode = outcomes.every(({ caughtBy }) => caughtBy !== null) ? 0 : 1;
}

if (import.meta.main) await main();
