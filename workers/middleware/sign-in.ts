import { AppError } from "../../shared/domain/app-error.ts";
import type { Authentication, SignIn } from "../../shared/ports/sign-in.ts";

export type SignedIn = Extract<Authentication, { state: "signed-in" }>;

/**
 * Who is asking; nobody passes unnamed.
 * @throws AppError `unauthenticated`, or `expired` where the credential was good once.
 */
export async function requireSignIn(signIn: SignIn, headers: Headers): Promise<SignedIn> {
  const answer = await signIn.authenticate(headers);
  if (answer.state === "signed-in") return answer;
  if (answer.state === "expired") throw new AppError("expired", "This sign-in has expired; sign in again.");
  throw new AppError("unauthenticated", "Sign in first, or send `Authorization: Bearer <session token or API key>`.");
}
