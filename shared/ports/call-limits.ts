import type { LimitedWork } from "../domain/access/call-limit.ts";

/** How often one person may have something done that calls out, whichever isolate serves them. */
export interface CallLimits {
  /**
   * Counts one more.
   * @throws AppError `rate_limited` with the time until it is allowed again
   */
  count(userId: string, work: LimitedWork): Promise<void>;
}
