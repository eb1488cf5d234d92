import type { Principal, SignInProof } from "../../shared/domain/access/principal.ts";
import {
  CLOCK_SKEW_MS,
  PROOF_LIFETIME_MS,
  PROOF_REFRESH_MS,
  type Proven,
} from "../../shared/domain/access/recent-proof.ts";

/** After this nobody believes a proof any more, whatever their clock says. */
const FORGET_AFTER_MS = PROOF_LIFETIME_MS + CLOCK_SKEW_MS;

/** Who signed in here a moment ago, by the hash of their credential. The Worker signed what is kept, and judges it. */
export class Proofs {
  readonly #sql: SqlStorage;
  readonly #now: () => Date;

  constructor(sql: SqlStorage, now: () => Date) {
    this.#sql = sql;
    this.#now = now;
  }

  find(credentialHash: string): Proven | null {
    const [row] = this.#sql
      .exec<{ principal: string }>("select principal from proofs where credential_hash = ?", credentialHash)
      .toArray();
    return row ? (JSON.parse(row.principal) as Proven) : null;
  }

  /** Those of one credential: the same session may be shown as a cookie and as a bearer. */
  of(credentialId: string): Proven[] {
    return this.#sql
      .exec<{ principal: string }>("select principal from proofs where credential_id = ?", credentialId)
      .toArray()
      .map((row) => JSON.parse(row.principal) as Proven);
  }

  /** Whether what is kept of this sign-in is missing or so old that the newer proof is worth a write. */
  isWanted({ credentialHash, provenAt }: SignInProof): boolean {
    const [row] = this.#sql
      .exec<{ proven_at: number }>("select proven_at from proofs where credential_hash = ?", credentialHash)
      .toArray();
    return !row || row.proven_at <= provenAt - PROOF_REFRESH_MS;
  }

  keep(principal: Principal, proof: SignInProof): void {
    this.#sql.exec(
      "insert or replace into proofs (credential_hash, credential_id, user_id, principal, proven_at) values (?, ?, ?, ?, ?)",
      proof.credentialHash,
      principal.credentialId,
      principal.userId,
      JSON.stringify({ ...principal, proof }),
      proof.provenAt,
    );
  }

  /** Whether a proof of this credential may still be believed. */
  has(credentialId: string): boolean {
    const sql = "select 1 from proofs where credential_id = ? and proven_at > ?";
    return this.#sql.exec(sql, credentialId, this.#now().getTime() - FORGET_AFTER_MS).toArray().length > 0;
  }

  /** Proofs end with the credential or the membership that they stand for. */
  revoke(what: { credentialId: string } | { userId: string }): void {
    if ("credentialId" in what) this.#sql.exec("delete from proofs where credential_id = ?", what.credentialId);
    else this.#sql.exec("delete from proofs where user_id = ?", what.userId);
  }

  /** Forgets what nobody believes any more. @returns whose it was */
  prune(): { credentialId: string; userId: string }[] {
    return this.#sql
      .exec<{ credential_id: string; user_id: string }>(
        "delete from proofs where proven_at <= ? returning credential_id, user_id",
        this.#now().getTime() - FORGET_AFTER_MS,
      )
      .toArray()
      .map((row) => ({ credentialId: row.credential_id, userId: row.user_id }));
  }

  /** Epoch milliseconds at which the oldest one is forgotten; null when there is none. */
  nextEnd(): number | null {
    const [row] = this.#sql.exec<{ at: number | null }>("select min(proven_at) as at from proofs").toArray();
    return row?.at == null ? null : row.at + FORGET_AFTER_MS;
  }
}
