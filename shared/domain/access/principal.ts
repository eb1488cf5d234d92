import type { WorkspaceRole } from "../../contract/account.ts";

/** What the Worker signs right after Postgres has confirmed a sign-in; the object keeps it for when Postgres is away. */
export interface SignInProof {
  /** Keyed hash of the credential that was shown, in hex. */
  credentialHash: string;
  /** Epoch milliseconds by the Worker's clock. */
  provenAt: number;
  /** Over the two above and the principal, in hex. */
  signature: string;
}

/** Who is asking, proved at the edge. Crosses RPC as plain data; the object authorises it against its own copy. */
export interface Principal {
  userId: string;
  name: string;
  /** The session's or API key's id: what a revocation names. */
  credentialId: string;
  credential: "session" | "api-key";
  /** Where this user may be and as what. */
  workspaces: { id: string; role: WorkspaceRole }[];
  isInstanceAdmin: boolean;
  /** ISO time after which this proof is worth nothing. */
  expiresAt: string;
  /** Where Postgres has just confirmed the sign-in: what the object keeps of that. */
  proof?: SignInProof;
}
