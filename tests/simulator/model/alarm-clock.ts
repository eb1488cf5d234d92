import type { Disk } from "./disk.ts";
import type { Planned, Scheduler } from "./scheduler.ts";

const FIRST_RETRY_MS = 2_000;
const MAX_TRIES = 6;

/** What becomes of one firing. */
export interface Fired {
  begins(): void;
  succeeded(): void;
  failed(): void;
}

/**
 * The platform's one alarm of an object: kept with its writes, fired at least once and never twice at the same time,
 * tried again when the handler throws, given up after six times. It is gone only when the handler's success is on disk.
 */
export class AlarmClock {
  readonly #scheduler: Scheduler;
  readonly #disk: Disk;
  readonly #object: {
    isRunning(): boolean;
    fire(fired: Fired): void;
  };
  #planned: { at: number; task: Planned } | null = null;
  #run = 0;
  #isFiring = false;
  #failures = 0;

  constructor(scheduler: Scheduler, disk: Disk, object: { isRunning(): boolean; fire(fired: Fired): void }) {
    this.#scheduler = scheduler;
    this.#disk = disk;
    this.#object = object;
  }

  /** Plans what is on disk. */
  arm(notBefore = 0): void {
    const at = this.#disk.durableAlarm;
    if (this.#planned && this.#planned.at === at && notBefore === 0) return;
    this.#planned?.task.cancel();
    this.#planned = null;
    if (at === null || this.#isFiring) return;
    const due = Math.max(at, notBefore, this.#scheduler.now);
    const { random } = this.#scheduler;
    const late = random.chance(0.05) ? random.between(500, 20_000) : random.between(0, 20);
    const task = this.#scheduler.after(due - this.#scheduler.now + late, "alarm:due", () => this.#fire());
    this.#planned = { at, task };
  }

  /** The platform is late. @returns false where no alarm is planned */
  delay(ms: number): boolean {
    if (!this.#planned) return false;
    this.arm(Math.max(this.#planned.at, this.#scheduler.now) + ms);
    return true;
  }

  /** The process ended: whatever ran has not succeeded. */
  forget(): void {
    this.#run++;
    this.#isFiring = false;
    this.#planned?.task.cancel();
    this.#planned = null;
  }

  #fire(): void {
    this.#planned = null;
    if (!this.#object.isRunning() || this.#isFiring || this.#disk.durableAlarm === null) return;
    this.#isFiring = true;
    const run = ++this.#run;
    const disk = this.#disk;
    const ended = (then: () => void) => (): void => {
      if (run !== this.#run) return;
      this.#isFiring = false;
      disk.firingAlarm = null;
      then();
    };
    this.#object.fire({
      begins: () => {
        disk.firingAlarm = disk.durableAlarm;
        disk.alarm = null;
      },
      succeeded: ended(() => {
        this.#failures = 0;
        disk.setAlarm(disk.alarm);
      }),
      failed: ended(() => {
        const gaveUp = ++this.#failures >= MAX_TRIES;
        if (gaveUp || disk.alarm !== null) {
          // Planned with the flush of this write.
          this.#failures = 0;
          return disk.setAlarm(disk.alarm);
        }
        disk.alarm = disk.durableAlarm;
        this.arm(this.#scheduler.now + FIRST_RETRY_MS * 2 ** (this.#failures - 1));
      }),
    });
  }
}
