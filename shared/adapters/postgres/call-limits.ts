import { refuseBeyondLimit } from "../../domain/access/call-limit.ts";
import type { CallLimits } from "../../ports/call-limits.ts";
import type { SignInAttempts } from "./sign-in-attempts.ts";

/** Counted where attempts to sign in are, and forgotten with them. */
export const createCallLimits = (attempts: Pick<SignInAttempts, "count">): CallLimits => ({
  count: async (userId, work) => refuseBeyondLimit(work, await attempts.count(`${work}|${userId}`, 60)),
});
