import type { ProviderRecord, ProviderSecret } from "../domain/providers/provider-record.ts";

/** What a secret is bound to: opened with any other, it is refused. */
export interface SecretBinding {
  recordId: string;
  kind: string;
  scope: string;
  /** Empty where there is none. */
  workspaceId: string | null;
  ownerUserId: string | null;
}

/** What the secret of an instance is bound to. */
export const bindingOf = ({
  id,
  kind,
  scope,
  workspaceId,
  ownerUserId,
}: Pick<ProviderRecord, "id" | "kind" | "scope" | "workspaceId" | "ownerUserId">): SecretBinding => ({
  recordId: id,
  kind,
  scope,
  workspaceId,
  ownerUserId,
});

/** What a person changes of a secret. What is left out stays. */
export interface SecretChange {
  /** Replaces the key, and a login; null forgets both. */
  apiKey?: string | null;
  /** Replace all that were there. */
  headers?: Record<string, string>;
}

/** Why a secret could not be opened; never what is in it. */
export class VaultError extends Error {
  readonly why: "unknown-key" | "tampered" | "malformed";
  constructor(why: VaultError["why"], message: string) {
    super(message);
    this.name = "VaultError";
    this.why = why;
  }
}

/**
 * Envelope encryption: a random data key for each record, wrapped by the newest key of the ring. All text here is opaque
 * to everyone else.
 */
export interface CredentialVault {
  /** The id of the key that seals now. */
  readonly newestKey: string;
  seal(secret: ProviderSecret, binding: SecretBinding): Promise<string>;
  /** @throws VaultError with one sentence that says what to do */
  open(sealed: string, binding: SecretBinding): Promise<ProviderSecret>;
  /**
   * The same secret with a change, so that nobody else ever holds what stays of it; without `sealed` a new one.
   * @returns null when nothing is left
   * @throws VaultError
   */
  amend(sealed: string | null, binding: SecretBinding, change: SecretChange): Promise<string | null>;
  /** The id of the ring's key that a sealed text needs; null where it is malformed. */
  keyOf(sealed: string): string | null;
  /** Whether the ring has the key that a sealed text needs. */
  opens(sealed: string): boolean;
  /** The same secret with its data key wrapped by the newest key. @throws VaultError */
  rewrap(sealed: string, binding: SecretBinding): Promise<string>;
}
