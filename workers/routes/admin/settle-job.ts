import type { Job } from "../../../shared/contract/job.ts";
import { AppError, unwrap } from "../../../shared/domain/app-error.ts";
import type { SignedInCall } from "../route.ts";
import { requireAdmin } from "./require-admin.ts";

const NOBODY_HOLDS_IT = "The conversation does not hold this event any more, so there is nothing left to try.";

/**
 * Hands an admin's decision to whoever has the work. Where nobody has it any more the job ends here.
 * @throws AppError `forbidden`, `not_found`, `conflict` for a job that has ended well
 */
export async function settleJob(call: SignedInCall<"/{id}">, decision: "retry" | "cancel"): Promise<Job> {
  const { services, scope, principal, params, rooms } = call;
  requireAdmin(principal);
  const job = await services.jobs.find(scope, params.id);
  if (!job) throw new AppError("not_found", "There is no job with this id.");
  if (job.status === "completed") throw new AppError("conflict", "This job is done; there is nothing to change.");
  const { conversationId } = job.subject;
  const settled =
    conversationId === undefined
      ? null
      : unwrap(await rooms.conversation(conversationId).settleJob(principal, job.id, decision));
  if (settled) return settled;
  const status = decision === "cancel" ? "cancelled" : "failed";
  const ended = await services.jobs.settle(scope, job.id, {
    status,
    error: decision === "cancel" ? job.error : NOBODY_HOLDS_IT,
    at: services.now().toISOString(),
  });
  if (!ended) throw new AppError("not_found", "There is no job with this id.");
  return ended;
}
