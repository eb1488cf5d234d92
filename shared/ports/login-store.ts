import type { ConnectableKind, ProviderScope } from "../contract/provider.ts";
import type { Scope } from "./conversation-store.ts";

/** A login at a vendor that has begun and is not forgotten yet. */
export interface StoredLogin {
  id: string;
  kind: ConnectableKind;
  method: "redirect" | "device";
  scope: ProviderScope;
  workspaceId: string | null;
  ownerUserId: string;
  displayName: string | null;
  /** The instance that it renews, and once complete the one that it made. */
  providerId: string | null;
  state: "pending" | "complete" | "failed";
  /** SHA-256 of the `state` that the vendor sends back; null for a device login. */
  stateHash: string | null;
  /** The PKCE verifier or the device code, sealed by the vault. */
  sealed: string;
  error: string | null;
  expiresAt: string;
  /** Not before then is the vendor asked again. */
  pollAfter: string | null;
  /** How often a device login may be asked for; null for a redirect login. */
  intervalSeconds: number | null;
}

/** Logins of their starters alone. */
export interface LoginStore {
  create(scope: Scope, login: StoredLogin): Promise<void>;
  find(scope: Scope, id: string): Promise<StoredLogin | null>;
  findByState(scope: Scope, stateHash: string): Promise<StoredLogin | null>;
  /** Moves on a login that is still pending. @returns false when somebody else already has */
  settle(
    scope: Scope,
    id: string,
    to: { state: "complete" | "failed"; providerId: string | null; error: string | null },
  ): Promise<boolean>;
  /** Takes the next poll for oneself. @returns false when it is not time, or somebody else has it */
  claimPoll(scope: Scope, id: string, now: string, pollAfter: string): Promise<boolean>;
  /** The vendor was asked too often: from now on this interval (RFC 8628 3.5). Only while it is pending. */
  slowDown(scope: Scope, id: string, intervalSeconds: number, pollAfter: string): Promise<void>;
}
