import { AppError } from "../../shared/domain/app-error.ts";
import type { ConversationObject } from "../../shared/ports/conversation-object.ts";
import type { Authentication, RecalledSignIn, SignIn } from "../../shared/ports/sign-in.ts";
import type { Services } from "../../shared/runtime/services.ts";

export type SignedIn = Extract<Authentication, { state: "signed-in" }>;

/** Who is asking, and whether Postgres has said so just now. */
export type Caller = { fresh: SignedIn; recalled?: never } | { fresh?: never; recalled: RecalledSignIn };

type Needs = Pick<Services, "signIn" | "timers" | "now">;

/** A sign-in waits this long for Postgres, and much less while the last one waited in vain. */
const PATIENCE_MS = 2_000;
const SHORT_PATIENCE_MS = 300;
const SHORT_FOR_MS = 5_000;

const AWAY = "The database cannot be reached right now. Nothing is lost; try again in a moment.";
const RETRY_AFTER_MS = 2_000;

const databaseAway = (message = AWAY): AppError =>
  new AppError("database_unavailable", message, { retryAfterMs: RETRY_AFTER_MS });

export const isAway = (error: unknown): boolean => error instanceof AppError && error.code === "database_unavailable";

/** Until when a hung database is given little time, by the sign-in system that it hangs for. */
const shortUntil = new WeakMap<SignIn, number>();

/** A database that hangs is as good as away: whoever waits for it would rather hear so. */
async function authenticate({ signIn, timers, now }: Needs, headers: Headers): Promise<Authentication> {
  const isShort = now().getTime() < (shortUntil.get(signIn) ?? 0);
  const asking = signIn.authenticate(headers);
  // Late or not, an answer shows that it is there.
  void asking.then(
    () => shortUntil.delete(signIn),
    () => {},
  );
  let stop = (): void => {};
  const late = new Promise<never>((_resolve, reject) => {
    const timer = timers.after(isShort ? SHORT_PATIENCE_MS : PATIENCE_MS, () => {
      shortUntil.set(signIn, now().getTime() + SHORT_FOR_MS);
      reject(databaseAway());
    });
    stop = () => timer.cancel();
  });
  try {
    return await Promise.race([asking, late]);
  } finally {
    stop();
  }
}

/**
 * Who is asking; nobody passes unnamed.
 * @throws AppError `unauthenticated`; `expired` where the credential was good once; `database_unavailable`
 */
export async function requireSignIn(needs: Needs, headers: Headers): Promise<SignedIn> {
  const answer = await authenticate(needs, headers);
  if (answer.state === "signed-in") return answer;
  if (answer.state === "expired") throw new AppError("expired", "This sign-in has expired; sign in again.");
  throw new AppError("unauthenticated", "Sign in first, or send `Authorization: Bearer <session token or API key>`.");
}

/**
 * The same for a request about one conversation: while Postgres is away, its object knows who signed in there a moment
 * ago. A caller that Postgres has confirmed carries the proof of that to the object.
 */
export async function requireSignInFor(
  needs: Needs,
  headers: Headers,
  conversation: ConversationObject | null,
): Promise<Caller> {
  try {
    const fresh = await requireSignIn(needs, headers);
    const proof = await needs.signIn.prove(headers, fresh.principal, needs.now());
    return { fresh: proof ? { ...fresh, principal: { ...fresh.principal, proof } } : fresh };
  } catch (error) {
    if (!isAway(error) || !conversation) throw error;
    const recalled = await needs.signIn.recall(headers, needs.now(), (hash) => conversation.proofOf(hash));
    if (recalled) return { recalled };
    throw databaseAway(
      "The database cannot be reached right now, and nobody signed in to this conversation with that in the last ten minutes. Nothing is lost; try again in a moment.",
    );
  }
}

/** What a route says that cannot do its work without Postgres. */
export function withoutDatabase(error: unknown, sentence: string | undefined): unknown {
  return isAway(error) && sentence !== undefined ? databaseAway(sentence) : error;
}

/** For a caller who was only recalled: `what` is in Postgres alone. */
export function refuseRecalled(caller: Caller, sentence: string | undefined): asserts caller is { fresh: SignedIn } {
  if (caller.recalled) throw databaseAway(sentence);
}
