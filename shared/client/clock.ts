/** Time and chance, passed in so that tests decide them. */
export interface Clock {
  /** ms since 1970. */
  now(): number;
  /** 0 to 1. */
  random(): number;
  after(ms: number, run: () => void): Timer;
}

export interface Timer {
  cancel(): void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  random: () => Math.random(),
  after: (ms, run) => {
    const handle = setTimeout(run, ms);
    return { cancel: () => clearTimeout(handle) };
  },
};

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 15_000;

/** How long to wait before connecting again: doubles each time, half of it left to chance so that clients spread. */
export function reconnectDelayMs(attempt: number, random: number): number {
  const ceiling = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(attempt, 16));
  return Math.round(ceiling / 2 + (ceiling / 2) * random);
}

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 60_000;

/** How long to wait before sending again what the server could not take yet; its own wish counts, within a minute. */
export function retryDelayMs(tries: number, random: number, wishedMs = 0): number {
  const ceiling = FIRST_RETRY_MS * 2 ** Math.min(tries, 10);
  const ours = ceiling / 2 + (ceiling / 2) * random;
  return Math.round(Math.min(LONGEST_RETRY_MS, Math.max(ours, wishedMs)));
}
