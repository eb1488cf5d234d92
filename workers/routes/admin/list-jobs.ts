import { Job, ListJobs } from "../../../shared/contract/job.ts";
import { pageOf } from "../../../shared/contract/primitives.ts";
import { defineRoute } from "../route.ts";
import { requireAdmin } from "./require-admin.ts";

export const listJobs = defineRoute({
  method: "get",
  path: "/api/admin/jobs",
  operationId: "listJobs",
  summary: "Work in the background, newest first; for instance admins",
  tag: "admin",
  withoutDatabase: "Jobs are in the database, which cannot be reached right now; try again in a moment.",
  errors: ["forbidden"],
  query: ListJobs,
  answer: { status: 200, description: "One page of jobs. Never a word of anyone's content.", body: pageOf(Job) },
  handle: async ({ services, scope, principal, query }) => {
    requireAdmin(principal);
    return await services.jobs.list(scope, query);
  },
});
