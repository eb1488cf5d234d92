import { OUTBOX_EVENT_JOB } from "../../shared/contract/job.ts";
import type { ReportedJob } from "../../shared/ports/job-store.ts";

type ParkedRow = {
  seq: number;
  why: string;
  job_id: string | null;
  event: string;
  status: string;
  attempts: number;
  first_at: number;
  last_at: number;
  revision: number;
  reported: number;
};

/** An event that Postgres refuses for what it is. It stays in the object's log; a person may have it tried again. */
export interface ParkedEvent {
  seq: number;
  jobId: string;
  /** `cancelled`: a person gave it up. `completed`: Postgres took it after all. */
  status: "failed" | "cancelled" | "completed";
}

/** What was parked, as jobs for the instance admin: ids, places and reasons, never content. */
export class ParkedEvents {
  readonly #sql: SqlStorage;
  readonly #newId: () => string;

  constructor(sql: SqlStorage, newId: () => string) {
    this.#sql = sql;
    this.#newId = newId;
  }

  park(seq: number, event: string, why: string, nowMs: number): void {
    this.#sql.exec(
      `insert into parked (seq, why, job_id, event, first_at, last_at) values (?, ?, ?, ?, ?, ?)
       on conflict (seq) do update set why = excluded.why, last_at = excluded.last_at, status = 'failed',
         attempts = attempts + 1, revision = revision + 1, reported = 0`,
      seq,
      why,
      this.#newId(),
      event,
      nowMs,
      nowMs,
    );
  }

  find(jobId: string): ParkedEvent | null {
    const [row] = this.#sql.exec<ParkedRow>("select * from parked where job_id = ?", jobId).toArray();
    return row ? { seq: row.seq, jobId, status: row.status as ParkedEvent["status"] } : null;
  }

  /** Places that Postgres does not have, from one on. */
  seqsFrom(seq: number): Set<number> {
    const rows = this.#sql
      .exec<{ seq: number }>("select seq from parked where seq >= ? and status <> 'completed'", seq)
      .toArray();
    return new Set(rows.map((row) => row.seq));
  }

  settle(seq: number, status: "cancelled" | "completed", nowMs: number): void {
    this.#sql.exec(
      `update parked set status = ?, last_at = ?, attempts = attempts + ?, revision = revision + 1, reported = 0,
         why = case when ? = 'completed' then '' else why end where seq = ?`,
      status,
      nowMs,
      status === "completed" ? 1 : 0,
      status,
      seq,
    );
  }

  get hasUnreported(): boolean {
    return this.#sql.exec("select 1 from parked where reported = 0 limit 1").toArray().length > 0;
  }

  /** @param atMost rows */
  unreported(conversationId: string, atMost: number): ReportedJob[] {
    const rows = this.#sql.exec<ParkedRow>("select * from parked where reported = 0 order by seq limit ?", atMost);
    return rows.toArray().map((row) => this.#jobOf(conversationId, row));
  }

  /** Only what has not changed since it was read. */
  markReported(jobs: readonly ReportedJob[]): void {
    for (const { id, revision } of jobs) {
      this.#sql.exec("update parked set reported = 1 where job_id = ? and revision = ?", id, revision);
    }
  }

  #jobOf(conversationId: string, row: ParkedRow): ReportedJob {
    const id = row.job_id ?? this.#newId();
    // Parked by a build that knew no jobs yet.
    if (row.job_id === null) this.#sql.exec("update parked set job_id = ? where seq = ?", id, row.seq);
    const status = row.status as ParkedEvent["status"];
    return {
      id,
      type: OUTBOX_EVENT_JOB,
      status,
      attempts: row.attempts,
      maxAttempts: 1,
      runAt: new Date(row.first_at).toISOString(),
      startedAt: new Date(row.last_at).toISOString(),
      endedAt: new Date(row.last_at).toISOString(),
      error:
        status === "completed" ? null : `Event ${row.seq} (${row.event}) of conversation ${conversationId}: ${row.why}`,
      subject: { conversationId, seq: row.seq, event: row.event },
      revision: row.revision,
    };
  }
}
