const FIRST_SECONDS = 30;
const LONGEST_SECONDS = 3600;

/**
 * How long a failed queue message waits: 30 s, then four times as long each time, an hour at most. A database that is
 * being restarted is back after the first wait; one that is not is left alone.
 * @param attempts how often it was delivered so far, from 1
 * @returns whole seconds
 */
export function retryDelaySeconds(attempts: number): number {
  const failures = Number.isFinite(attempts) ? Math.max(0, Math.floor(attempts) - 1) : 0;
  return Math.min(LONGEST_SECONDS, FIRST_SECONDS * 4 ** failures);
}
