import type { Services } from "../../shared/runtime/services.ts";
import { AlarmScheduler } from "../alarm-scheduler.ts";
import type { Bindings } from "../stubs.ts";
import { Configuration } from "./configuration.ts";
import { eventLog } from "./event-log.ts";
import { Journal } from "./journal.ts";
import { isAlarmNeeded } from "./on-alarm.ts";
import { Outbox } from "./outbox.ts";
import type { Room } from "./room.ts";
import { runningSnapshot } from "./running-snapshot.ts";
import { broadcastSession, sessionInfo } from "./session-info.ts";
import { Sessions } from "./sessions.ts";
import { TurnQueue, WATCHDOG_ALARM } from "./turn-queue.ts";
import { TurnTable } from "./turn-table.ts";

/** Puts the parts of one object together. An object that wakes with an unfinished turn lets an alarm pick it up. */
export function createRoom(ctx: DurableObjectState, env: Bindings, services: Services): Room {
  const { storage } = ctx;
  const nowMs = (): number => services.now().getTime();
  const background = (work: Promise<unknown>): void =>
    ctx.waitUntil(
      work.catch((error) =>
        console.error(`conversation ${ctx.id.name ?? ctx.id}: work in the background failed:`, error),
      ),
    );
  const journal = new Journal(storage, services.now);
  const alarms = new AlarmScheduler({
    storage,
    background,
    timers: services.timers,
    now: nowMs,
    isNeeded: (name) => isAlarmNeeded(room, name),
    exists: () => journal.conversation !== null,
  });
  const parts = {
    id: ctx.id.name ?? "",
    env,
    services,
    storage,
    journal,
    turns: new TurnTable(storage.sql),
    sessions: createSessions(ctx, journal, services, () => room),
    alarms,
    configuration: new Configuration({ journal, reader: services.configuration, timers: services.timers }),
    background,
  };
  const room = parts as typeof parts & Room;
  room.outbox = new Outbox({
    journal,
    alarms,
    timers: services.timers,
    sink: services.events,
    background,
    now: nowMs,
    onStorageChange: () => broadcastSession(room),
  });
  room.queue = new TurnQueue(room);
  if (journal.conversation) {
    alarms.rearm();
    if (room.turns.openCount() > 0) alarms.schedule(WATCHDOG_ALARM, nowMs());
    room.outbox.wake();
  }
  return room;
}

function createSessions(ctx: DurableObjectState, journal: Journal, services: Services, room: () => Room): Sessions {
  return new Sessions({
    ctx,
    now: () => services.now().getTime(),
    timers: services.timers,
    log: eventLog(journal, ctx.storage.sql),
    snapshot: () => (journal.conversation ? runningSnapshot(room()) : null),
    session: () => (journal.conversation ? { type: "session:info", ...sessionInfo(room()) } : null),
  });
}
