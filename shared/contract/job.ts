import * as z from "zod";
import { Id, Page, Timestamp } from "./primitives.ts";

export const JobStatus = z.enum(["queued", "active", "completed", "failed", "cancelled"]);
export type JobStatus = z.infer<typeof JobStatus>;

/** An event of a conversation that Postgres refuses for what it is. */
export const OUTBOX_EVENT_JOB = "outbox-event";

/** What a job is about, by name only: never a word of anyone's. */
export const JobSubject = z.object({
  conversationId: Id.optional(),
  seq: z.int().optional(),
  event: z.string().optional(),
});
export type JobSubject = z.infer<typeof JobSubject>;

/** Work in the background. `error` says why it did not work, without content. */
export const Job = z.object({
  id: Id,
  type: z.string(),
  status: JobStatus,
  attempts: z.int().nonnegative(),
  /** Tries that are made unasked; `retry` adds to them. */
  maxAttempts: z.int().positive(),
  runAt: Timestamp,
  startedAt: Timestamp.nullable(),
  endedAt: Timestamp.nullable(),
  error: z.string().nullable(),
  traceId: z.string().nullable(),
});
export type Job = z.infer<typeof Job>;

/** One job with what it is about. */
export const JobDetail = Job.extend({ subject: JobSubject });
export type JobDetail = z.infer<typeof JobDetail>;

export const ListJobs = Page.extend({ status: JobStatus.optional(), type: z.string().max(64).optional() });
export type ListJobs = z.infer<typeof ListJobs>;
