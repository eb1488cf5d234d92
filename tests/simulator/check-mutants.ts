import { MUTANTS } from "./mutants.ts";
import { runWorkers } from "./run-workers.ts";

export interface MutantResult {
  name: string;
  /** What the mutant does to the code, in a few words. */
  what: string;
  /** The check that saw it first; null: nobody saw it, which is a hole in the checker. */
  caughtBy: string | null;
  seed: number | null;
  afterSchedules: number;
}

const MOST_SEEDS = 3_000;

/** Runs each mutant until somebody sees it. */
export async function checkMutants(
  workers: number,
  mostSeeds = MOST_SEEDS,
  names?: readonly string[],
  onResult: (result: MutantResult) => void = () => {},
): Promise<MutantResult[]> {
  const results: MutantResult[] = [];
  const waiting = MUTANTS.filter(({ name }) => names === undefined || names.includes(name));
  const runNext = async (): Promise<void> => {
    const mutant = waiting.shift();
    if (!mutant) return;
    const share = { from: 1, until: mostSeeds, endsAtMs: null, clients: null };
    const sum = await runWorkers({ ...share, mutant: mutant.name, untilViolation: true, workers: 1 });
    const [first] = sum.violations;
    const { name, what } = mutant;
    const result = {
      name,
      what,
      caughtBy: first?.check ?? null,
      seed: first?.seed ?? null,
      afterSchedules: sum.schedules,
    };
    results.push(result);
    onResult(result);
    await runNext();
  };
  await Promise.all(Array.from({ length: workers }, runNext));
  return results.sort((one, other) => (one.name < other.name ? -1 : 1));
}

export function tableOf(results: readonly MutantResult[]): string {
  const rows = results.map(({ name, caughtBy, afterSchedules }) => [name, caughtBy ?? "NOBODY", `${afterSchedules}`]);
  const all = [["mutant", "caught by", "schedules"], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  return all.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")).join("\n");
}
