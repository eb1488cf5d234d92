import * as z from "zod";
import { ApiError } from "../../../../shared/client/api-error.ts";
import { Me } from "../../../../shared/contract/account.ts";

const KEY = "mosaic:me";
/** As long as the server itself believes a sign-in that it cannot look up. */
const MAX_AGE_MS = 10 * 60_000;

const Kept = z.object({ atMs: z.number(), me: Me });
type KeyValue = Pick<Storage, "getItem" | "setItem" | "removeItem">;

/**
 * Who is signed in. While the server's database is away it is who was signed in here a moment ago: the page opens, and
 * the server goes on deciding what may be seen in it.
 * @throws ApiError what the server said
 */
export async function askMe(ask: () => Promise<Me>, storage: () => KeyValue, nowMs: () => number): Promise<Me> {
  try {
    const me = await ask();
    attempt(() => storage().setItem(KEY, JSON.stringify({ atMs: nowMs(), me })));
    return me;
  } catch (error) {
    const isAway = error instanceof ApiError && error.code === "database_unavailable";
    const kept = isAway ? attempt(() => Kept.parse(JSON.parse(storage().getItem(KEY) ?? "null"))) : undefined;
    if (kept && Math.abs(nowMs() - kept.atMs) <= MAX_AGE_MS) return kept.me;
    if (!isAway) forgetMe(storage);
    throw error;
  }
}

/** For the end of a sign-in. */
export const forgetMe = (storage: () => KeyValue): void => void attempt(() => storage().removeItem(KEY));

/** A browser may refuse its storage; the page works without it. */
function attempt<Value>(work: () => Value): Value | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
