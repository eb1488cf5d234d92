/** Waiting, as something that is passed in: the simulator decides when time passes. */
export interface Timers {
  /** Fulfils after `ms`; 0 lets everything that is due now go first. */
  wait(ms: number): Promise<void>;
  /** Runs once after `ms`, unless it is cancelled before. */
  after(ms: number, run: () => void): { cancel(): void };
}

/** The platform's own timers. */
export const platformTimers: Timers = {
  wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  after: (ms, run) => {
    const handle = setTimeout(run, ms);
    return { cancel: () => clearTimeout(handle) };
  },
};
