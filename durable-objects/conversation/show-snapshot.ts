import type { Room } from "./room.ts";
import { runningSnapshot } from "./running-snapshot.ts";

/** Puts everyone's copy of the running answer right: parts were taken away, or came by other ways than deltas. */
export function showSnapshot(room: Pick<Room, "sessions" | "queue" | "turns">): void {
  const snapshot = runningSnapshot(room);
  if (snapshot) room.sessions.broadcast(snapshot);
}
