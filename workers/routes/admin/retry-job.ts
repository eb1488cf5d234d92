import { Job } from "../../../shared/contract/job.ts";
import { defineRoute } from "../route.ts";
import { settleJob } from "./settle-job.ts";

export const retryJob = defineRoute({
  method: "post",
  path: "/api/admin/jobs/{id}/retry",
  operationId: "retryJob",
  summary: "Tries a failed or cancelled job again, now; for instance admins",
  tag: "admin",
  withoutDatabase: "Jobs are in the database, which cannot be reached right now; try again in a moment.",
  ids: [{ in: "path", name: "id", of: "job" }],
  errors: ["forbidden", "conflict"],
  answer: { status: 200, description: "The job as it stands after the try.", body: Job },
  handle: (call) => settleJob(call, "retry"),
});
