import type { Attachment } from "./reader.ts";

/** Seconds are enough to open a socket with it. */
const TICKET_TTL_MS = 30_000;

export interface TicketProof {
  attachment: Attachment;
  /** Origin of the page the ticket was made for; null for callers that have none. */
  origin: string | null;
}

async function digest(ticket: string): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(ticket));
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Single-use keys to the socket for pages that cannot send credentials. Only their hashes are stored. */
export class Tickets {
  readonly #sql: SqlStorage;
  readonly #now: () => Date;

  constructor(sql: SqlStorage, now: () => Date) {
    this.#sql = sql;
    this.#now = now;
  }

  async issue(proof: TicketProof): Promise<{ ticket: string; expiresAt: string }> {
    const bytes = crypto.getRandomValues(new Uint8Array(32));
    const ticket = btoa(String.fromCharCode(...bytes)).replace(
      /[+/=]/g,
      (char) => ({ "+": "-", "/": "_" })[char] ?? "",
    );
    const expiresAt = this.#now().getTime() + TICKET_TTL_MS;
    const hash = await digest(ticket);
    this.#sql.exec("delete from tickets where expires_at < ?", this.#now().getTime());
    this.#sql.exec(
      "insert into tickets (hash, proof, expires_at) values (?, ?, ?)",
      hash,
      JSON.stringify(proof),
      expiresAt,
    );
    return { ticket, expiresAt: new Date(expiresAt).toISOString() };
  }

  /** Whether this credential has asked for one that nobody has used yet. */
  isPending(credentialId: string): boolean {
    const sql = `select 1 from tickets where expires_at >= ? and json_extract(proof, '$.attachment.credentialId') = ?`;
    return this.#sql.exec(sql, this.#now().getTime(), credentialId).toArray().length > 0;
  }

  /** Tickets end with the credential or the membership that they stand for. */
  revoke(what: { credentialId: string } | { userId: string }): void {
    const [field, value] = "credentialId" in what ? ["credentialId", what.credentialId] : ["userId", what.userId];
    this.#sql.exec("delete from tickets where json_extract(proof, ?) = ?", `$.attachment.${field}`, value);
  }

  /** The proof, once; null for a ticket that is unknown, used, expired or from another origin. */
  async redeem(ticket: string, origin: string | null): Promise<Attachment | null> {
    const hash = await digest(ticket);
    const [row] = this.#sql
      .exec<{ proof: string; expires_at: number }>(
        "delete from tickets where hash = ? returning proof, expires_at",
        hash,
      )
      .toArray();
    if (!row || row.expires_at < this.#now().getTime()) return null;
    const proof = JSON.parse(row.proof) as TicketProof;
    return proof.origin === origin ? proof.attachment : null;
  }
}
