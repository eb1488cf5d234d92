import type { ProviderSecret } from "../domain/providers/provider-record.ts";

/** What a secret is bound to: opened with any other, it is refused. */
export interface SecretBinding {
  recordId: string;
  kind: string;
  scope: string;
  /** Empty where there is none. */
  workspaceId: string | null;
  ownerUserId: string | null;
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
  /** The id of the ring's key that a sealed text needs; null where it is malformed. */
  keyOf(sealed: string): string | null;
  /** The same secret with its data key wrapped by the newest key. @throws VaultError */
  rewrap(sealed: string, binding: SecretBinding): Promise<string>;
}
