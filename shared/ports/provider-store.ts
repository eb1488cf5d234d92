import type { ProviderRecord, SealedCredential } from "../domain/providers/provider-record.ts";
import type { Scope } from "./conversation-store.ts";

/** A record with what only its readers need. Hints are made when the secret is saved; nobody decrypts to show one. */
export interface StoredProvider {
  record: ProviderRecord;
  hints: { credential: string | null; headers: Record<string, string | null> };
  createdAt: string;
  updatedAt: string;
}

export interface NewProvider extends Omit<StoredProvider, "createdAt" | "updatedAt"> {
  at: string;
}

/** What a change writes; `credential` null forgets it, undefined leaves it. */
export interface ProviderChanges
  extends Partial<
    Pick<ProviderRecord, "displayName" | "baseUrl" | "connectorId" | "upstream" | "route" | "isDefault" | "isEnabled">
  > {
  credential?: SealedCredential | null;
  hints?: StoredProvider["hints"];
  at: string;
}

/** What a round of re-wrapping did. */
export interface Rotation {
  rewrapped: number;
  /** Those that could not be opened: their key is missing, or they were changed. */
  failed: number;
  /** Secrets that need another key than the newest. */
  left: number;
  /** How many secrets need each key, by its name; a key without one may be dropped. Logins under way count. */
  byKey: Record<string, number>;
}

/** Stored provider instances. Those of others do not exist for the caller. */
export interface ProviderStore {
  /** Everything the caller may use, whatever workspace: system, their workspaces', their own. */
  list(scope: Scope, workspaceId?: string): Promise<StoredProvider[]>;
  find(scope: Scope, id: string): Promise<StoredProvider | null>;
  /** @throws AppError `forbidden` when the role is too low for that scope, `not_found` for a workspace that is not theirs. Repeating it with the same id changes nothing. */
  create(scope: Scope, provider: NewProvider): Promise<StoredProvider>;
  /**
   * @returns null when there is none for the caller
   * @throws AppError `forbidden` when they may use but not change it, `version_conflict` when `ifVersion` is stale
   */
  update(scope: Scope, id: string, changes: ProviderChanges, ifVersion?: number): Promise<StoredProvider | null>;
  /** @returns whether there was one. @throws AppError as `update` */
  remove(scope: Scope, id: string, ifVersion?: number): Promise<boolean>;
  /** Re-wraps up to `limit` credentials that are not under the newest key; on nobody's behalf. */
  rewrap(limit: number): Promise<Rotation>;
  /** A refreshed secret, written only over the version it was made from; on nobody's behalf. */
  replaceSecret(credentialId: string, from: number, to: SealedCredential): Promise<boolean>;
}
