import { AppError } from "../app-error.ts";

/** What a person can have done as often as they like, unless it is counted: each calls out to a vendor. */
export type LimitedWork = "provider-calls" | "model-refreshes";

/** One refresh may ask as many vendors as a person has. */
const CALLS_A_MINUTE: Readonly<Record<LimitedWork, number>> = { "provider-calls": 100, "model-refreshes": 20 };

const NAMES: Readonly<Record<LimitedWork, string>> = {
  "provider-calls": "saving, testing and logging in to providers",
  "model-refreshes": "refreshing models",
};

/**
 * @param attempts how many of this minute this is, from 1
 * @throws AppError `rate_limited` with the time until the minute is over
 */
export function refuseBeyondLimit(
  work: LimitedWork,
  { attempts, secondsLeft }: { attempts: number; secondsLeft: number },
): void {
  if (attempts <= CALLS_A_MINUTE[work]) return;
  const message = `That is more ${NAMES[work]} than a minute allows; go on in ${secondsLeft} s.`;
  throw new AppError("rate_limited", message, { retryAfterMs: secondsLeft * 1000 });
}
