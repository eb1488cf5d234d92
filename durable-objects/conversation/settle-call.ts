import type { ConversationEvent } from "../../shared/contract/events.ts";
import type { Part } from "../../shared/contract/message.ts";
import { boundedOutcome, openCalls, type ToolCallPart, type ToolOutcome } from "../../shared/domain/turn/tool-call.ts";
import { publish, type Room } from "./room.ts";
import type { RunningTurn } from "./running-turn.ts";
import { showSnapshot } from "./show-snapshot.ts";
import type { Turn } from "./turn-table.ts";

/** A call is asked for, or begins: without approval it runs from here on. */
export const requestedEvent = (
  turn: Turn,
  { callId, name, input, step }: ToolCallPart,
  needsApproval: boolean,
  why?: string,
): ConversationEvent => ({
  type: "tool:requested",
  turnId: turn.id,
  call: { callId, name, input, step },
  needsApproval,
  ...(why === undefined ? {} : { why }),
});

/** A call's one result: part of the answer, and in the log. */
export function settleCall(room: Room, running: RunningTurn, call: ToolCallPart, told: ToolOutcome): void {
  const { turn, answer, progress } = running;
  const { callId, step } = call;
  const outcome = boundedOutcome(told, answer.parts);
  const result: Part = { type: "tool-result", callId, step, ...outcome };
  const calls = { ...progress.calls };
  delete calls[callId];
  const logged = room.journal.transact(() => {
    room.turns.save(turn.id, [...answer.parts, result], { ...progress, calls });
    return room.journal.append({ type: "tool:completed", turnId: turn.id, callId, outcome });
  });
  answer.parts.push(result);
  progress.calls = calls;
  publish(room, logged);
  if (openCalls(answer.parts, step).length === 0) showSnapshot(room);
}
