import { and, desc, eq, sql } from "drizzle-orm";
import type { Job } from "../../contract/job.ts";
import type { JobStore, ReportedJob } from "../../ports/job-store.ts";
import type { Database } from "./database.ts";
import { readCursor, writeCursor } from "./list-cursor.ts";
import { conversations } from "./schema/conversations.ts";
import { jobs } from "./schema/jobs.ts";

/** Jobs in Postgres. Row-level security shows them to the instance admin alone; conversations report through a function. */
export function createJobStore(database: Database): JobStore {
  return {
    report: async (scope, conversationId, reported) => {
      if (reported.length === 0) return true;
      const rows = JSON.stringify(reported.map(rowOf));
      const [writable] = await database.scoped(scope, (db) => [
        // Only a row that the caller may change can be locked.
        db
          .select({ id: conversations.id })
          .from(conversations)
          .where(eq(conversations.id, conversationId))
          .for("no key update"),
        db.execute(sql`select app.report_jobs(${conversationId}::uuid, ${rows}::jsonb)`),
      ]);
      return writable.length > 0;
    },
    list: async (scope, { status, type, cursor, limit }) => {
      const after = cursor === undefined ? null : readCursor(cursor);
      const [rows] = await database.scoped(scope, (db) => [
        db
          .select()
          .from(jobs)
          .where(
            and(
              status === undefined ? undefined : eq(jobs.status, status),
              type === undefined ? undefined : eq(jobs.type, type),
              after ? sql`(${jobs.runAt}, ${jobs.id}) < (${after.at}::timestamptz, ${after.id}::uuid)` : undefined,
            ),
          )
          .orderBy(desc(jobs.runAt), desc(jobs.id))
          .limit(limit + 1),
      ]);
      const items = rows.slice(0, limit).map(jobOf);
      const last = items.at(-1);
      return { items, nextCursor: rows.length > limit && last ? writeCursor({ at: last.runAt, id: last.id }) : null };
    },
    find: async (scope, id) => {
      const [rows] = await database.scoped(scope, (db) => [db.select().from(jobs).where(eq(jobs.id, id))]);
      const row = rows[0];
      return row ? { ...jobOf(row), subject: row.subject } : null;
    },
    settle: async (scope, id, { status, error, at }) => {
      const [rows] = await database.scoped(scope, (db) => [
        db
          .update(jobs)
          .set({ status, error, endedAt: new Date(at), revision: sql`${jobs.revision} + 1` })
          .where(eq(jobs.id, id))
          .returning(),
      ]);
      const row = rows[0];
      return row ? jobOf(row) : null;
    },
  };
}

const rowOf = ({ maxAttempts, runAt, startedAt, endedAt, ...job }: ReportedJob) => ({
  ...job,
  max_attempts: maxAttempts,
  run_at: runAt,
  started_at: startedAt,
  ended_at: endedAt,
});

const jobOf = (row: typeof jobs.$inferSelect): Job => ({
  id: row.id,
  type: row.type,
  status: row.status,
  attempts: row.attempts,
  maxAttempts: row.maxAttempts,
  runAt: row.runAt.toISOString(),
  startedAt: row.startedAt?.toISOString() ?? null,
  endedAt: row.endedAt?.toISOString() ?? null,
  error: row.error,
  traceId: row.traceId,
});
