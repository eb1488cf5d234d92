import type { Timers } from "../shared/ports/timers.ts";

/** Waits for work that goes on by itself, and not longer than this. */
export async function waitAtMost(timers: Timers, deadlineMs: number, work: Promise<unknown>): Promise<void> {
  let stop = (): void => {};
  const late = new Promise<void>((resolve) => {
    const timer = timers.after(deadlineMs, resolve);
    stop = () => timer.cancel();
  });
  try {
    await Promise.race([work, late]);
  } finally {
    stop();
  }
}
