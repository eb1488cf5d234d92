import type { WorkspaceRole } from "../../contract/account.ts";

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
}
