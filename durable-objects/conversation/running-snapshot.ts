import type { ServerFrame } from "../../shared/contract/frames.ts";
import type { Room } from "./room.ts";

/**
 * The running answer as it stands, null when none runs. An object that has just woken has it as it was last saved, until
 * the turn is taken up again.
 */
export function runningSnapshot({ queue, turns }: Pick<Room, "queue" | "turns">): ServerFrame | null {
  const { running } = queue;
  const turn = running?.turn ?? turns.running();
  if (turn?.state !== "running") return null;
  const parts = running?.answer.parts ?? turn.parts;
  return { type: "message:snapshot", turnId: turn.id, messageId: turn.messageId, parts };
}
