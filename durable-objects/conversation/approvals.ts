import * as z from "zod";
import { APPROVAL_MS } from "../../shared/domain/turn/progress.ts";
import { openCalls, type ToolCallPart } from "../../shared/domain/turn/tool-call.ts";
import { publish, type Room } from "./room.ts";
import type { RunningTurn, ToolDecision } from "./running-turn.ts";
import { requestedEvent, settleCall } from "./settle-call.ts";

const ALLOWED = "allowedTools";
const Allowed = z.array(z.string());

const allowedTools = ({ journal }: Pick<Room, "journal">): string[] =>
  Allowed.parse(JSON.parse(journal.meta(ALLOWED) ?? "[]"));

/** Whether somebody has said that this tool need not ask any more in this conversation. */
export const isAllowedAlways = (room: Pick<Room, "journal">, tool: string): boolean =>
  allowedTools(room).includes(tool);

/** A person's word on a call that waits for it; durable when this returns. The first one counts. */
export function decideCall(
  room: Room,
  running: RunningTurn,
  callId: string,
  decision: ToolDecision,
  who: string,
): boolean {
  const { turn, answer, progress } = running;
  const call = waitingCalls(running).find((each) => each.callId === callId);
  if (!call) return false;
  if (decision === "deny") {
    settleCall(room, running, call, { isError: true, output: `${who} said no to this call; it was not run.` });
    return true;
  }
  const calls = { ...progress.calls, [callId]: { state: "allowed" as const } };
  room.journal.transact(() => {
    if (decision === "allow-always")
      room.journal.setMeta(ALLOWED, JSON.stringify([...new Set([...allowedTools(room), call.name])]));
    room.turns.save(turn.id, answer.parts, { ...progress, calls });
  });
  progress.calls = calls;
  return true;
}

/** Questions that nobody has answered for a day are answered: no. */
export function denyOverdue(room: Room, running: RunningTurn): void {
  const nowMs = room.services.now().getTime();
  for (const call of waitingCalls(running)) {
    const state = running.progress.calls[call.callId];
    if (state?.state !== "waiting" || nowMs - state.sinceMs < APPROVAL_MS) continue;
    settleCall(room, running, call, {
      isError: true,
      output: "Nobody allowed this call within a day; it was not run.",
    });
  }
}

/** Calls that were cut off in the middle and may do harm twice wait for a person. */
export function askAgain(room: Room, running: RunningTurn, callIds: readonly string[]): void {
  const { turn, answer, progress } = running;
  const sinceMs = room.services.now().getTime();
  const asked = openCalls(answer.parts, progress.step).filter((call) => callIds.includes(call.callId));
  for (const { callId } of asked) progress.calls[callId] = { state: "waiting", sinceMs };
  const logged = room.journal.transact(() => {
    room.turns.save(turn.id, answer.parts, progress);
    return room.journal.append(
      ...asked.map((call) =>
        requestedEvent(
          turn,
          call,
          true,
          `The server was restarted while "${call.name}" ran; it may have run already. Allow it to run again?`,
        ),
      ),
    );
  });
  publish(room, logged);
}

const waitingCalls = ({ answer, progress }: RunningTurn): ToolCallPart[] =>
  openCalls(answer.parts, progress.step).filter((call) => progress.calls[call.callId]?.state === "waiting");
