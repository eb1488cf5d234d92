import { canGoOn } from "../../shared/domain/turn/progress.ts";
import { openCalls, type ToolCallPart, type ToolOutcome } from "../../shared/domain/turn/tool-call.ts";
import { isAllowedAlways } from "./approvals.ts";
import { publish, type Room } from "./room.ts";
import type { RunningTurn } from "./running-turn.ts";
import { requestedEvent, settleCall } from "./settle-call.ts";
import { showSnapshot } from "./show-snapshot.ts";

const TOOL_TIMEOUT_MS = 60_000;

/**
 * Brings the calls of the current step to their results. A call is in the log before it runs, and its result after: an
 * object that ends in between knows what it had begun.
 * @returns "parked" when only people can bring it on, "stale" when the turn has ended meanwhile
 */
export async function runTools(room: Room, running: RunningTurn): Promise<"done" | "parked" | "stale"> {
  const { answer, progress, abort } = running;
  requestCalls(room, running);
  while (true) {
    const open = openCalls(answer.parts, progress.step);
    if (open.length === 0) return "done";
    if (!canGoOn(answer.parts, progress)) {
      park(room, running);
      return "parked";
    }
    const ready = open.filter((call) => progress.calls[call.callId]?.state !== "waiting");
    startAllowed(room, running, ready);
    await Promise.all(ready.map((call) => runCall(room, running, call)));
    if (abort.signal.aborted) return "stale";
  }
}

/** Everything that the step asks for is asked for at once, together with the step's parts. */
function requestCalls(room: Room, running: RunningTurn): void {
  const { turn, answer, progress } = running;
  const fresh = openCalls(answer.parts, progress.step).filter((call) => !progress.calls[call.callId]);
  if (fresh.length === 0) return;
  const sinceMs = room.services.now().getTime();
  const needs = new Map(fresh.map((call) => [call.callId, needsApproval(room, call.name)]));
  for (const { callId } of fresh)
    progress.calls[callId] = needs.get(callId) ? { state: "waiting", sinceMs } : { state: "running" };
  const logged = room.journal.transact(() => {
    room.turns.save(turn.id, answer.parts, progress);
    return room.journal.append(...fresh.map((call) => requestedEvent(turn, call, needs.get(call.callId) ?? false)));
  });
  publish(room, logged);
  showSnapshot(room);
}

const needsApproval = (room: Room, tool: string): boolean =>
  (room.services.tools.definitions().find((each) => each.name === tool)?.needsApproval ?? false) &&
  !isAllowedAlways(room, tool);

/** What a person has allowed begins now, and everyone sees that the question is closed. */
function startAllowed(room: Room, running: RunningTurn, ready: readonly ToolCallPart[]): void {
  const { turn, answer, progress } = running;
  const allowed = ready.filter((call) => progress.calls[call.callId]?.state === "allowed");
  if (allowed.length === 0) return;
  for (const { callId } of allowed) progress.calls[callId] = { state: "running" };
  const logged = room.journal.transact(() => {
    room.turns.save(turn.id, answer.parts, progress);
    return room.journal.append(...allowed.map((call) => requestedEvent(turn, call, false)));
  });
  publish(room, logged);
}

async function runCall(room: Room, running: RunningTurn, call: ToolCallPart): Promise<void> {
  const outcome = await callTool(room, running, call);
  if (!running.abort.signal.aborted) settleCall(room, running, call, outcome);
}

/** Never rejects, and ends within a minute: what the host does not bring is an error that the model reads. */
function callTool(room: Room, running: RunningTurn, call: ToolCallPart): Promise<ToolOutcome> {
  const { tools, timers } = room.services;
  const { name } = call;
  if (!tools.definitions().some((tool) => tool.name === name))
    return Promise.resolve({ isError: true, output: `There is no tool "${name}" here.` });
  return new Promise((resolve) => {
    const own = new AbortController();
    const end = (outcome: ToolOutcome): void => {
      timer.cancel();
      running.abort.signal.removeEventListener("abort", stop);
      resolve(outcome);
    };
    const cut = (output: string): void => {
      own.abort();
      end({ isError: true, output });
    };
    const stop = (): void => cut("The turn was stopped.");
    const timer = timers.after(TOOL_TIMEOUT_MS, () => cut(`The tool "${name}" did not answer in time.`));
    running.abort.signal.addEventListener("abort", stop, { once: true });
    const broken = (error: unknown): void => {
      console.error(`tool ${name} failed: ${error instanceof Error ? error.name : typeof error}`);
      end({ isError: true, output: `The tool "${name}" failed.` });
    };
    Promise.resolve()
      .then(() => tools.call({ callId: call.callId, name, input: call.input }, { signal: own.signal }))
      .then(end, broken);
  });
}

/** From here on only people can bring the turn on: the object may sleep. */
function park(room: Room, running: RunningTurn): void {
  const { turn, answer, progress } = running;
  progress.waitingSinceMs = room.services.now().getTime();
  room.turns.save(turn.id, answer.parts, progress);
  running.isParked = true;
}
