import type { Work } from "../queues/maintenance.ts";

/** Asks for the sweep; the queue runs it, so that a database that is away now is tried again later. */
export const askForSweep = async ({ send }: Pick<Work, "send">): Promise<void> => {
  await send({ job: "sweep-expired" });
};
