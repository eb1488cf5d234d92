import type { Workspace } from "../contract/account.ts";

/** Who is asking, proved at the edge. Crosses RPC as plain data; the object authorises it against its own copy. */
export interface Principal {
  userId: string;
  name: string;
  /** The session's or API key's id: what a revocation names. */
  credentialId: string;
  credential: "session" | "api-key";
  /** Where this user may be and as what. */
  workspaces: Pick<Workspace, "id" | "role">[];
  isInstanceAdmin: boolean;
  /** ISO time after which this proof is worth nothing. */
  expiresAt: string;
}

export type Authentication =
  | { state: "signed-in"; principal: Principal; user: { id: string; name: string; email: string; emailVerified: boolean; image: string | null }; workspaces: Workspace[]; via: "cookie" | "bearer" | "api-key" }
  | { state: "anonymous" }
  | { state: "expired" };

export interface SignIn {
  /** Session cookie, `Authorization: Bearer <session token | API key>`, or `x-api-key`. */
  authenticate(headers: Headers): Promise<Authentication>;
  /** better-auth's own routes, `/api/auth/*`. */
  handle(request: Request): Promise<Response>;
}

/** What the sign-in system tells the rest of the house; each is idempotent. */
export interface SignInEvents {
  /** A session or key ended before its time. */
  revoked(what: { credentialId: string; userId: string }): Promise<void>;
  /** Someone left or was removed from a workspace, or changed role there. */
  membershipChanged(what: { userId: string; workspaceId: string }): Promise<void>;
}
