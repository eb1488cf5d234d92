import type { Result } from "../../shared/contract/errors.ts";
import type { Job } from "../../shared/contract/job.ts";
import type { Principal } from "../../shared/domain/access/principal.ts";
import { fail, ok } from "../../shared/domain/app-error.ts";
import type { Room } from "./room.ts";
import { asResult } from "./update.ts";

/** An instance admin's word on a job of this conversation. They need no right to it, and learn nothing of it. */
export function settleJob(
  { journal, outbox }: Pick<Room, "journal" | "outbox">,
  principal: Pick<Principal, "isInstanceAdmin">,
  jobId: string,
  decision: "retry" | "cancel",
): Promise<Result<Job | null>> {
  return asResult(async () => {
    if (!principal.isInstanceAdmin) return fail("not_found", "There is no job with this id.");
    return ok(journal.conversation ? await outbox.settle(jobId, decision) : null);
  });
}
