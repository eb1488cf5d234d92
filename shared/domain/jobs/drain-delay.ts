const FIRST_MS = 500;
const LONGEST_MS = 10_000;
/** Whoever may write there has to come back first: a person, not a machine. */
const ORPHANED_MS = 600_000;

/**
 * How long a conversation waits before it asks Postgres again: twice as long each time, ten seconds at most, spread from
 * half to one and a half of it, so that many which lost the database at one moment do not come back at one moment.
 * @param failures in a row, from 1
 * @param random from 0 up to 1
 */
export function drainDelayMs(failures: number, orphaned: boolean, random: number): number {
  const base = orphaned ? ORPHANED_MS : Math.min(LONGEST_MS, FIRST_MS * 2 ** (Math.max(1, failures) - 1));
  return Math.round(base * (0.5 + random));
}
