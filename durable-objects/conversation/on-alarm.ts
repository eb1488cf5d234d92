import { ATTACHMENTS_ALARM } from "./attachments.ts";
import { ERASE_ALARM, endErasure, isErasureExpected } from "./lifecycle.ts";
import { OUTBOX_ALARM } from "./outbox.ts";
import type { Room } from "./room.ts";
import { WATCHDOG_ALARM } from "./turn-queue.ts";
import { CHANGE_ALARM, isChangeExpected, tendChange } from "./unsettled-change.ts";

/** Nobody else may come by after an alarm whose names could not even be read. */
const LOOK_AGAIN_MS = 30_000;

const WORK: Record<string, (room: Room) => Promise<void> | void> = {
  [OUTBOX_ALARM]: ({ outbox }) => outbox.drain(),
  [ATTACHMENTS_ALARM]: ({ attachments }) => attachments.tend(),
  [ERASE_ALARM]: endErasure,
  [CHANGE_ALARM]: tendChange,
  [WATCHDOG_ALARM]: ({ queue }) => queue.watch(),
};

/**
 * Only decides and starts: alarms run one at a time, and one that throws is given up by the platform. Work that fails
 * is tried again by a later alarm.
 */
export function onAlarm(room: Room): void {
  const { journal, services } = room;
  if (!journal.conversation) return;
  try {
    for (const name of room.alarms.takeDue(services.now().getTime())) start(room, name);
  } catch (error) {
    console.error(`conversation ${room.id}: an alarm is looked at again later:`, error);
    services.timers.after(LOOK_AGAIN_MS, () => onAlarm(room));
  }
}

function start(room: Room, name: string): void {
  const work = async (): Promise<void> => WORK[name]?.(room);
  room.background(
    work().catch((error) => {
      room.alarms.retry(name);
      throw error;
    }),
  );
}

/** Whether an alarm has still something to do; else it is taken back, so that it does not wake an idle object. */
export function isAlarmNeeded(
  { outbox, turns, journal }: Pick<Room, "outbox" | "turns" | "journal">,
  name: string,
): boolean {
  if (name === OUTBOX_ALARM) return outbox.hasWork;
  if (name === WATCHDOG_ALARM) return turns.openCount() > 0;
  if (name === ERASE_ALARM) return isErasureExpected({ journal });
  if (name === CHANGE_ALARM) return isChangeExpected({ journal });
  return true;
}
