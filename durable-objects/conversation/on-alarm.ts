import { ATTACHMENTS_ALARM } from "./attachments.ts";
import { ERASE_ALARM, endErasure, isErasureExpected } from "./lifecycle.ts";
import { OUTBOX_ALARM } from "./outbox.ts";
import type { Room } from "./room.ts";
import { WATCHDOG_ALARM } from "./turn-queue.ts";

/** Only decides and starts: alarms run one at a time, and one that throws is given up by the platform. */
export function onAlarm(room: Room): void {
  const { journal, alarms, attachments, outbox, queue, services, background } = room;
  if (!journal.conversation) return;
  const due = alarms.takeDue(services.now().getTime());
  if (due.includes(OUTBOX_ALARM)) background(outbox.drain());
  if (due.includes(ATTACHMENTS_ALARM)) background(attachments.tend());
  if (due.includes(ERASE_ALARM)) background(endErasure(room));
  if (due.includes(WATCHDOG_ALARM)) queue.watch();
}

/** Whether an alarm has still something to do; else it is taken back, so that it does not wake an idle object. */
export function isAlarmNeeded(
  { outbox, turns, journal }: Pick<Room, "outbox" | "turns" | "journal">,
  name: string,
): boolean {
  if (name === OUTBOX_ALARM) return outbox.hasWork;
  if (name === WATCHDOG_ALARM) return turns.openCount() > 0;
  if (name === ERASE_ALARM) return isErasureExpected({ journal });
  return true;
}
