import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { mutated } from "./hooks.ts";
import { FAULTS } from "./model/faults.ts";
import { MUTANTS } from "./mutants.ts";
import type { SimulatorReport } from "./report.ts";

const folder = mkdtempSync(join(tmpdir(), "mosaic-simulator-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the simulator as its users do; its exit code and what it printed. */
function simulate(...args: string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const command = [join(import.meta.dirname, "simulate.ts"), ...args];
    execFile(process.execPath, command, { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === "number" ? error.code : error ? 1 : 0, output: stdout + stderr }),
    );
  });
}

const reportIn = (path: string): SimulatorReport => JSON.parse(readFileSync(path, "utf8")) as SimulatorReport;

describe("the simulator", () => {
  it("finds every promise kept, whatever goes wrong between two steps", async () => {
    const path = join(folder, "report.json");
    const { code, output } = await simulate("--seeds", "2000", "--report", path);
    expect(code, output).toBe(0);
    const report = reportIn(path);
    expect(report).toMatchObject({ schedules: 2_000, violating: 0 });
    expect(report.withFiveClients).toBeGreaterThan(20);
    expect(report.messagesAcknowledged).toBeGreaterThan(2_000);
    expect(Object.keys(FAULTS).filter((fault) => !report.faults[fault])).toEqual([]);
  }, 300_000);

  it("sees every known fault in the code", async () => {
    const path = join(folder, "mutants.json");
    const { output } = await simulate("--seeds", "0", "--mutants", "--report", path);
    const unseen = reportIn(path).mutants.filter(({ caughtBy }) => caughtBy === null);
    expect(unseen, output).toEqual([]);
    expect(reportIn(path).mutants).toHaveLength(MUTANTS.length);
  }, 600_000);

  it("replays a seed to the same step", async () => {
    const [one, other] = await Promise.all([simulate("--seed", "42"), simulate("--seed", "42")]);
    expect(one.output).toContain("hash:");
    expect(one.output).toBe(other.output);
  }, 60_000);

  it("refuses a mutant whose text is not there any more", () => {
    const [mutant] = MUTANTS;
    if (!mutant) throw new Error("There are no mutants.");
    expect(() => mutated("nothing of the kind", mutant)).toThrow("adapt tests/simulator/mutants.ts");
    expect(mutated(`before ${mutant.find} after`, mutant)).toBe(`before ${mutant.replace} after`);
  });
});
