import type { Work } from "../queues/maintenance.ts";

/** Asks for the move to the newest key; until a key was added there is nothing to move, and one question tells. */
export const askForRewrapping = async ({ send }: Pick<Work, "send">): Promise<void> => {
  await send({ job: "rewrap-credentials" });
};
