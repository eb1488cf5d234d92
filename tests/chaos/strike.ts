/** Carries out the planned faults: each waits for its instant, one kill at a time. */
import { setTimeout as sleep } from "node:timers/promises";
import { NO_FAULTS } from "./database-faults.ts";
import type { Progress } from "./lane.ts";
import type { PlannedFault } from "./plan.ts";
import type { World } from "./world.ts";

export interface Strikes {
  /** Resolves when all faults have struck; rejects when the stack does not come back. */
  done: Promise<void>;
  /** No further fault; a kill under way is waited for by `done`. */
  cancel(): void;
}

export function strike(world: World, progress: Progress, faults: readonly PlannedFault[]): Strikes {
  let cancelled = false;
  let orders = 0;
  let cancel = (): void => undefined;
  const cancellation = new Promise<void>((resolve) => {
    cancel = resolve;
  });
  const run = async (): Promise<void> => {
    for (const { afterAcks, delayMs, fault } of faults) {
      await Promise.race([progress.reaches(afterAcks), cancellation]);
      await sleep(delayMs);
      if (cancelled) break;
      if (fault.kind === "kill") await world.kill(fault.victim);
      else if (fault.kind === "model") world.model.setFaultShare(fault.share);
      else {
        // In the background: other things are killed while the database is away. A later order replaces this one.
        orders += 1;
        const order = orders;
        world.setDatabaseFaults(fault.faults);
        setTimeout(() => {
          if (order === orders) world.setDatabaseFaults(NO_FAULTS);
        }, fault.forMs).unref();
      }
    }
  };
  return {
    done: run(),
    cancel: () => {
      cancelled = true;
      cancel();
    },
  };
}
