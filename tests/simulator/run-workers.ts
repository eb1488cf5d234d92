import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { emptySummary, mergeSummaries, type Summary } from "./run-seeds.ts";
import type { Progress, Share } from "./worker.ts";

/** What a run is asked for; times are real. */
export type Wanted = Omit<Share, "stride"> & {
  workers: number;
  /** Ends it early; what was done until then counts. */
  signal?: AbortSignal;
};

/** What a schedule makes is gone at its end: with room for it there is little to collect. */
const YOUNG_MB = 32;
/** A worker does so many and another follows it, so that nothing that is kept by mistake adds up over a long run. */
const SCHEDULES_OF_A_WORKER = 50_000;

/** Shares the seeds among workers and sums up. @throws when a worker dies */
export async function runWorkers(
  wanted: Wanted,
  onProgress: (sum: Summary) => void = () => {},
): Promise<Summary & { tookMs: number }> {
  const { workers, signal, ...share } = wanted;
  const began = performance.now();
  const sum = emptySummary();
  const runLane = async (lane: number): Promise<void> => {
    const length = SCHEDULES_OF_A_WORKER * workers;
    for (let from = share.from; from < share.until && signal?.aborted !== true; from += length) {
      if (share.endsAtMs !== null && Date.now() >= share.endsAtMs) return;
      const until = Math.min(share.until, from + length);
      await runOne({ ...share, from: from + lane, until, stride: workers }, signal, (summary) => {
        mergeSummaries(sum, summary);
        onProgress(sum);
      });
      if (share.untilViolation && sum.violating > 0) return;
    }
  };
  await Promise.all(Array.from({ length: workers }, (_, lane) => runLane(lane)));
  return { ...sum, tookMs: performance.now() - began };
}

function runOne(share: Share, signal: AbortSignal | undefined, onSummary: (summary: Summary) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(join(import.meta.dirname, "worker.ts"), {
      workerData: share,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    const stop = (): void => worker.postMessage("stop");
    signal?.addEventListener("abort", stop);
    worker.on("message", ({ summary, isDone }: Progress) => {
      onSummary(summary);
      if (!isDone) return;
      signal?.removeEventListener("abort", stop);
      void worker.terminate();
      resolve();
    });
    worker.on("error", reject);
    worker.on("exit", (code) => reject(new Error(`A worker ended with ${code} before its work was done.`)));
  });
}
