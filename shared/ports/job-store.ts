import type { Job, JobDetail, JobStatus, JobSubject, ListJobs } from "../contract/job.ts";
import type { Scope } from "./conversation-store.ts";

/** A job as the conversation that it is about tells of it. Content-free: ids, places, reasons. */
export interface ReportedJob extends Omit<Job, "traceId"> {
  subject: JobSubject;
  /** Grows with every report of this job; an older one never undoes a newer one. */
  revision: number;
}

/** Background work as an instance admin sees it; for anybody else there is none. */
export interface JobStore {
  /**
   * Writes down what became of a conversation's jobs, on behalf of someone who may write there. Repeating it changes nothing.
   * @returns false where this user may not write there: nothing was written down
   * @throws AppError `database_unavailable`
   */
  report(scope: Scope, conversationId: string, jobs: readonly ReportedJob[]): Promise<boolean>;
  /** Newest first. @throws AppError `invalid_request` for a cursor that is none */
  list(scope: Scope, page: ListJobs): Promise<{ items: Job[]; nextCursor: string | null }>;
  find(scope: Scope, id: string): Promise<JobDetail | null>;
  /** For a job whose worker cannot say it any more. @returns null when the caller sees no such job */
  settle(scope: Scope, id: string, to: { status: JobStatus; error: string | null; at: string }): Promise<Job | null>;
}
