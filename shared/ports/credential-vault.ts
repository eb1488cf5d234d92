import type { ProviderRecord, ProviderSecret } from "../domain/providers/provider-record.ts";

export type { SecretBinding };

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
  /** The same secret with its data key wrapped by the newest key. @throws VaultError */
  rewrap(sealed: string, binding: SecretBinding): Promise<string>;
}
