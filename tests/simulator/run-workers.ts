import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { emptySummary, mergeSummaries, type Summary } from "./run-seeds.ts";
import type { Progress, Share } from "./worker.ts";

/** What a run is asked for; times are real. */
export type Wanted = Omit<Share, "stride"> & { workers: number };

/** What a schedule makes is gone at its end: with much room for it there is little to collect. */
const YOUNG_MB = 64;

/** Shares the seeds among workers and sums up. @throws when a worker dies */
export async function runWorkers(
  wanted: Wanted,
  onProgress: (sum: Summary) => void = () => {},
): Promise<Summary & { tookMs: number }> {
  const { workers, ...share } = wanted;
  const began = performance.now();
  const sum = emptySummary();
  await Promise.all(
    Array.from({ length: workers }, (_, index) =>
      runOne({ ...share, from: share.from + index, stride: workers }, (summary) => {
        mergeSummaries(sum, summary);
        onProgress(sum);
      }),
    ),
  );
  return { ...sum, tookMs: performance.now() - began };
}

function runOne(share: Share, onSummary: (summary: Summary) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(join(import.meta.dirname, "worker.ts"), {
      workerData: share,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    worker.on("message", ({ summary, isDone }: Progress) => {
      onSummary(summary);
      if (isDone) resolve();
    });
    worker.on("error", reject);
    worker.on("exit", (code) => reject(new Error(`A worker ended with ${code} before its work was done.`)));
  });
}
