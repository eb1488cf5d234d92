import type { Workspace } from "../contract/account.ts";
import type { Principal, SignInProof } from "../domain/access/principal.ts";
import type { Proven } from "../domain/access/recent-proof.ts";

export type { Principal } from "../domain/access/principal.ts";

export type Authentication =
  | {
      state: "signed-in";
      principal: Principal;
      user: { id: string; name: string; email: string; emailVerified: boolean; image: string | null };
      workspaces: Workspace[];
      via: "cookie" | "bearer" | "api-key";
    }
  | { state: "anonymous" }
  | { state: "expired" };

/** Someone who signed in a moment ago, while Postgres does not answer: enough for an object to authorise, no more. */
export interface RecalledSignIn {
  principal: Principal;
  via: "cookie" | "bearer" | "api-key";
}

export interface SignIn {
  /** Session cookie, `Authorization: Bearer <session token | API key>`, or `x-api-key`. */
  authenticate(headers: Headers): Promise<Authentication>;
  /** Signs that `authenticate` has just confirmed the credential in `headers`; null where they show none. Asks nobody. */
  prove(headers: Headers, principal: Principal, now: Date): Promise<SignInProof | null>;
  /**
   * The same proof with a new time, for a credential that Postgres has confirmed again; null for one that was not
   * signed here. Asks nobody.
   */
  renew(proven: Proven, now: Date): Promise<Proven | null>;
  /**
   * Who showed the credential in `headers` within the last ten minutes, by the proof that `find` knows of it; null
   * where there is none, where it is too old, or where it was not signed here. Asks nobody else.
   */
  recall(
    headers: Headers,
    now: Date,
    find: (credentialHash: string) => Promise<Proven | null>,
  ): Promise<RecalledSignIn | null>;
  /** better-auth's own routes, `/api/auth/*`. */
  handle(request: Request): Promise<Response>;
  /**
   * Ends the account for good: user, sessions, keys, personal workspace, memberships. Its conversations are gone already.
   * `headers` are those of the request that asked, for the sign-in system's own checks. Repeating it changes nothing.
   */
  deleteUser(principal: Principal, headers: Headers): Promise<void>;
}

/** What the sign-in system tells the rest of the house; each is idempotent. */
export interface SignInEvents {
  /** A session or key ended before its time. */
  revoked(what: { credentialId: string; userId: string }): Promise<void>;
  /** Someone left or was removed from a workspace, or changed role there. */
  membershipChanged(what: { userId: string; workspaceId: string }): Promise<void>;
}
