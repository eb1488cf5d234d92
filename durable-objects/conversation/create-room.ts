import type { Services } from "../../shared/runtime/services.ts";
import { AlarmScheduler } from "../alarm-scheduler.ts";
import type { Bindings } from "../stubs.ts";
import { Attachments } from "./attachments.ts";
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
import { doubt } from "./unsettled-change.ts";

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
  const journal = new Journal(storage, services);
  const { accounts, timers, signIn } = services;
  const now = (): Date => services.now();
  const alarms: AlarmScheduler = new AlarmScheduler({
    storage,
    background,
    timers,
    now: nowMs,
    isNeeded: (name) => isAlarmNeeded(room, name),
    exists: () => journal.conversation !== null,
  });
  const sessions: Sessions = createSessions(ctx, journal, services, () => room);
  const id = ctx.id.name ?? "";
  const parts = {
    id,
    env,
    services,
    storage,
    journal,
    turns: new TurnTable(storage.sql),
    sessions,
    alarms,
    attachments: new Attachments({
      id,
      sql: storage.sql,
      journal,
      sessions,
      accounts,
      signIn,
      alarms,
      timers,
      now,
      background,
    }),
    configuration: new Configuration({
      journal,
      reader: services.configuration,
      providers: services.providers,
      vault: services.vault,
      timers,
      now: nowMs,
    }),
    background,
  };
  const room = parts as typeof parts & Room;
  room.outbox = createOutbox(room);
  room.queue = new TurnQueue(room);
  if (journal.conversation) {
    alarms.rearm();
    if (room.turns.openCount() > 0) alarms.schedule(WATCHDOG_ALARM, nowMs());
    room.outbox.wake();
    doubt(room);
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

function createOutbox(room: Room): Outbox {
  const { journal, alarms, background, services, storage } = room;
  return new Outbox({
    journal,
    sql: storage.sql,
    alarms,
    timers: services.timers,
    sink: services.events,
    jobs: services.jobs,
    background,
    now: () => services.now().getTime(),
    random: services.random,
    newId: services.newId,
    onStorageChange: () => {
      broadcastSession(room);
      if (room.outbox.storage !== "offline") background(room.attachments.writeDown());
    },
  });
}
