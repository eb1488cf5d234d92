import { index, integer, jsonb, pgTable, text, uuid } from "drizzle-orm/pg-core";
import type { JobStatus, JobSubject } from "../../../contract/job.ts";
import { time, visibility } from "./columns.ts";
import { belongsToConversation } from "./conversations.ts";

/**
 * Work in the background, as an instance admin sees it: what, how far, why not. Never content. A job that is about a
 * conversation carries its tenant and goes with it; the others have none of these columns set.
 */
export const jobs = pgTable(
  "jobs",
  {
    id: uuid("id").primaryKey(),
    conversationId: uuid("conversation_id"),
    workspaceId: uuid("workspace_id"),
    ownerUserId: uuid("owner_user_id"),
    visibility: visibility("visibility"),
    type: text("type").notNull(),
    status: text("status").$type<JobStatus>().notNull(),
    attempts: integer("attempts").notNull().default(0),
    maxAttempts: integer("max_attempts").notNull(),
    runAt: time("run_at").notNull(),
    startedAt: time("started_at"),
    endedAt: time("ended_at"),
    error: text("error"),
    traceId: text("trace_id"),
    subject: jsonb("subject").$type<JobSubject>().notNull().default({}),
    /** Counts what the reporter said; an older word never undoes a newer one. */
    revision: integer("revision").notNull().default(1),
  },
  (table) => [
    index("jobs_recent").on(table.runAt.desc(), table.id.desc()),
    index("jobs_of_conversation").on(table.conversationId),
    belongsToConversation("jobs", table),
  ],
);
