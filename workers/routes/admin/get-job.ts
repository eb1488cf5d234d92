import { JobDetail } from "../../../shared/contract/job.ts";
import { AppError } from "../../../shared/domain/app-error.ts";
import { defineRoute } from "../route.ts";
import { requireAdmin } from "./require-admin.ts";

export const getJob = defineRoute({
  method: "get",
  path: "/api/admin/jobs/{id}",
  operationId: "getJob",
  summary: "One job with what it is about, by id and place; for instance admins",
  tag: "admin",
  withoutDatabase: "Jobs are in the database, which cannot be reached right now; try again in a moment.",
  ids: [{ in: "path", name: "id", of: "job" }],
  errors: ["forbidden"],
  answer: { status: 200, description: "The job.", body: JobDetail },
  handle: async ({ services, scope, principal, params }) => {
    requireAdmin(principal);
    const job = await services.jobs.find(scope, params.id);
    if (!job) throw new AppError("not_found", "There is no job with this id.");
    return job;
  },
});
