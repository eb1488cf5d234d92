/** What a sweep removed. */
export interface Swept {
  /** Rows, over all tables. */
  rows: number;
  /** Whether some table may hold more of them. */
  more: boolean;
}

/** Upkeep on nobody's behalf: it reaches what has expired and no tenant's content. */
export interface Maintenance {
  /**
   * Deletes expired sign-in records (sessions, verifications, device codes, API keys, counters of attempts), answers to
   * idempotency keys, attachments whose credential is gone, logins at vendors, and connectors that nobody set up in time.
   * @param atMost rows of each table, up to 1,000
   * @throws AppError `database_unavailable`
   */
  sweepExpired(atMost: number): Promise<Swept>;
}
