import { Job } from "../../../shared/contract/job.ts";
import { defineRoute } from "../route.ts";
import { settleJob } from "./settle-job.ts";

export const cancelJob = defineRoute({
  method: "post",
  path: "/api/admin/jobs/{id}/cancel",
  operationId: "cancelJob",
  summary: "Gives a job up; what it was to bring to the database stays where it is. For instance admins",
  tag: "admin",
  withoutDatabase: "Jobs are in the database, which cannot be reached right now; try again in a moment.",
  ids: [{ in: "path", name: "id", of: "job" }],
  errors: ["forbidden", "conflict"],
  answer: { status: 200, description: "The cancelled job.", body: Job },
  handle: (call) => settleJob(call, "cancel"),
});
