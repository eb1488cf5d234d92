import type { LoggedEvent } from "../../shared/contract/events.ts";
import type { ServerFrame } from "../../shared/contract/frames.ts";
import type { Services } from "../../shared/runtime/services.ts";
import type { AlarmScheduler } from "../alarm-scheduler.ts";
import type { Bindings } from "../stubs.ts";
import type { Attachments } from "./attachments.ts";
import type { Configuration } from "./configuration.ts";
import type { Journal } from "./journal.ts";
import type { Outbox } from "./outbox.ts";
import type { TurnLine } from "./running-turn.ts";
import type { Sessions } from "./sessions.ts";
import type { TurnTable } from "./turn-table.ts";

/** The parts of one conversation object, put together once in `object.ts`; each file takes what it needs of it. */
export interface Room {
  id: string;
  env: Pick<Bindings, "CONVERSATION">;
  services: Services;
  storage: DurableObjectStorage;
  journal: Journal;
  turns: TurnTable;
  sessions: Sessions;
  alarms: AlarmScheduler;
  attachments: Attachments;
  configuration: Configuration;
  outbox: Outbox;
  queue: TurnLine;
  /** Keeps the object awake until the promise settles, and never lets a failure go unseen. */
  background(work: Promise<unknown>): void;
}

export const eventFrame = (logged: LoggedEvent): ServerFrame => ({ type: "event", ...logged });

/** Tells everyone attached, after the events are in the log, and lets the outbox know. */
export function publish(room: Pick<Room, "sessions" | "outbox">, logged: readonly LoggedEvent[]): void {
  room.sessions.broadcast(...logged.map(eventFrame));
  room.outbox.wake();
}
