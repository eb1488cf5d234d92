import { Worker } from "node:worker_threads";

export const HANG_LIMIT_MS = 60_000;

export interface Watchdog {
  stop(): Promise<void>;
}

/**
 * PGlite ignores `statement_timeout`, and a query blocks its whole process. So a second thread watches the first one's
 * heartbeat and ends the process, with a message, when it stood still for too long; the runner starts it again, and
 * what was committed is there.
 */
export function startWatchdog(limitMs: number): Watchdog {
  const beat = new BigInt64Array(new SharedArrayBuffer(8));
  const strike = (): void => void Atomics.store(beat, 0, BigInt(Date.now()));
  strike();
  const timer = setInterval(strike, Math.min(1_000, limitMs / 4));
  timer.unref();
  const thread = new Worker(new URL("./watchdog-thread.ts", import.meta.url), {
    workerData: { beat, limitMs },
    // Flags of this process, such as a script given on the command line, are none of the thread's.
    execArgv: [],
  });
  thread.unref();
  return {
    stop: async () => {
      clearInterval(timer);
      await thread.terminate();
    },
  };
}
