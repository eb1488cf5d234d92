/** Carries out the planned faults: each waits for its instant, one kill at a time. */
import { setTimeout as sleep } from "node:timers/promises";
import { NO_FAULTS } from "./database-faults.ts";
import type { Progress } from "./lane.ts";
import type { PlannedFault } from "./plan.ts";
import type { World } from "./world.ts";

export interface Strikes {
  /** Resolves when all faults have struck and the last one is over; rejects when the stack does not come back. */
  done: Promise<void>;
  /** No further fault; those under way are ended. */
  cancel(): void;
}

export function strike(world: World, progress: Progress, faults: readonly PlannedFault[]): Strikes {
  let cancelled = false;
  let outages: Promise<unknown>[] = [];
  let orders = 0;
  const run = async (): Promise<void> => {
    for (const { afterAcks, delayMs, fault } of faults) {
      await progress.reaches(afterAcks);
      await sleep(delayMs);
      if (cancelled) break;
      if (fault.kind === "kill") await world.kill(fault.victim);
      else if (fault.kind === "model") world.model.setFaultShare(fault.share);
      else {
        // In the background: other things are killed while the database is away. A later order replaces this one.
        orders += 1;
        const order = orders;
        world.setDatabaseFaults(fault.faults);
        outages.push(
          sleep(fault.forMs).then(() => {
            if (order === orders) world.setDatabaseFaults(NO_FAULTS);
          }),
        );
      }
    }
    await Promise.all(outages);
    outages = [];
  };
  return {
    done: run(),
    cancel: () => {
      cancelled = true;
    },
  };
}
