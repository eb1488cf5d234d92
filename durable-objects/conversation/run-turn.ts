import { AppError } from "../../shared/domain/app-error.ts";
import { dropUnfinishedCalls } from "../../shared/domain/turn/answer.ts";
import { nextStep } from "../../shared/domain/turn/next-step.ts";
import { isOutOfTime, OUT_OF_TIME } from "../../shared/domain/turn/progress.ts";
import { callsOf } from "../../shared/domain/turn/tool-call.ts";
import { completeTurn, giveUpTurn } from "./end-turn.ts";
import { type Asking, failOver, refOf, spend, tellOtherModel } from "./fail-over.ts";
import { type PlannedTurn, planTurn, startTurn } from "./plan-turn.ts";
import type { Room } from "./room.ts";
import { runTools } from "./run-tools.ts";
import type { PlannedCandidate, RunningTurn } from "./running-turn.ts";
import { showSnapshot } from "./show-snapshot.ts";
import { stepRequest } from "./step-request.ts";
import { type Finish, followStream, type OpenStream, openStream } from "./stream-answer.ts";

/** A step as a model wrote it. */
interface Written {
  candidate: PlannedCandidate;
  finish: Finish;
}

/**
 * One turn, from its plan to its end: context, route, and then step by step request, stream, tools. Exactly one ending
 * is written, and none at all when the turn was stopped meanwhile: then its ending is there already. A turn that only
 * people can bring on returns parked.
 * @throws what the storage throws; the turn is then still open and is picked up by the watchdog
 */
export async function runTurn(room: Room, running: RunningTurn, resumed: boolean): Promise<void> {
  try {
    const planned = await planTurn(room, running, resumed);
    if (running.abort.signal.aborted) return;
    if (planned.candidates.length === 0) return failAtOnce(room, running, planned);
    await takeSteps(room, running, planned, resumed);
  } catch (error) {
    console.error(`turn ${running.turn.id} failed:`, error);
    if (running.abort.signal.aborted) return;
    running.abort.abort();
    const told = error instanceof AppError ? error.message : "Something went wrong inside Mosaic; try again.";
    giveUpTurn(room, endingOf(running), { code: "internal", message: told });
  }
}

const endingOf = ({ turn, answer, progress }: RunningTurn) => ({ turn, parts: answer.parts, progress });

/** No model can be asked: the turn starts only to say why it ends. */
function failAtOnce(room: Room, running: RunningTurn, planned: PlannedTurn): void {
  if (running.turn.state !== "running") startTurn(room, running, planned);
  const error = planned.error ?? { code: "no_route" as const, message: "No model can be reached." };
  giveUpTurn(room, endingOf(running), error);
}

async function takeSteps(room: Room, running: RunningTurn, planned: PlannedTurn, resumed: boolean): Promise<void> {
  const { candidates, notes } = planned;
  const asking: Asking = { candidates, notes, index: 0, tries: 0, continuations: 0, failures: [], firstTokenMs: null };
  let opened: OpenStream | null = null;
  if (resumed) {
    if (candidates[0]) tellOtherModel(room, running, candidates[0]);
  } else {
    opened = await begin(room, running, planned, asking);
    if (!opened) return;
  }
  let isWritten = resumed && callsOf(running.answer.parts, running.progress.step).length > 0;
  let last: Written | null = null;
  while (true) {
    if (!isWritten) {
      last = await writeStep(room, running, asking, opened);
      opened = null;
      if (!last) return;
    }
    const { progress } = running;
    const outOfTime = isOutOfTime(running, room.services.now().getTime());
    const steeringWaits = !outOfTime && room.turns.steering(running.turn.id).length > 0;
    const next = nextStep({ parts: running.answer.parts, step: progress.step, steeringWaits });
    if (next.kind === "run-tools") {
      if ((await runTools(room, running)) !== "done") return;
      isWritten = true;
    } else if (next.kind === "step" && !outOfTime) {
      beginStep(room, running);
      isWritten = false;
      asking.tries = 0;
    } else if (next.kind === "finish" && last) {
      return complete(room, running, last, asking);
    } else {
      const why = next.kind === "too-many" ? next.why : OUT_OF_TIME;
      return giveUpTurn(room, endingOf(running), { code: "internal", message: why });
    }
  }
}

/** The first request leaves before the write that begins the turn, which everything sent later would wait for. */
async function begin(
  room: Room,
  running: RunningTurn,
  planned: PlannedTurn,
  asking: Asking,
): Promise<OpenStream | null> {
  const [candidate] = planned.candidates;
  if (!candidate) return null;
  running.progress.asked = refOf(candidate);
  const opened = ask(room, running, candidate, asking);
  await room.services.timers.wait(0);
  if (running.abort.signal.aborted) {
    opened.close();
    return null;
  }
  try {
    startTurn(room, running, planned);
  } catch (error) {
    opened.close();
    throw error;
  }
  return opened;
}

/** It is written down that a request leaves, and what it may cost: whoever finds its turn must know of that bill. */
function ask(room: Room, running: RunningTurn, candidate: PlannedCandidate, asking: Asking): OpenStream {
  const { turn, answer, progress } = running;
  const troubles = [...asking.notes, ...asking.failures.map((failure) => failure.message)];
  const { request, inputTokens } = stepRequest(room, running, candidate, troubles);
  progress.open = { inputTokens, afterParts: answer.parts.length, prices: candidate.model.prices };
  if (turn.state === "running") room.turns.save(turn.id, answer.parts, progress);
  return openStream(room, running, candidate, request);
}

/**
 * One step, by whichever model of the plan brings it to its end.
 * @returns null when the turn has ended instead
 */
async function writeStep(
  room: Room,
  running: RunningTurn,
  asking: Asking,
  opened: OpenStream | null,
): Promise<Written | null> {
  let stream = opened;
  while (true) {
    const candidate = asking.candidates[asking.index];
    if (!candidate) return null;
    asking.tries++;
    const attempt = await followStream(room, running, candidate, stream ?? ask(room, running, candidate, asking));
    stream = null;
    if (attempt.kind === "stale") return null;
    if (attempt.kind === "failure") {
      if (!(await failOver(room, running, asking, attempt))) return null;
      continue;
    }
    asking.firstTokenMs ??= attempt.firstTokenMs;
    spend(running, candidate, attempt.finish.usage, attempt.finish.costMicroUsd);
    if (dropUnfinishedCalls(running.answer)) showSnapshot(room);
    return { candidate, finish: attempt.finish };
  }
}

/** What came meanwhile reaches the model now; in the same write the step before it becomes past. */
function beginStep(room: Room, running: RunningTurn): void {
  const { turn, answer, progress } = running;
  const { parts } = answer;
  const waiting = room.turns.steering(turn.id);
  const steered = waiting.map(({ replyTo }) => ({ messageId: replyTo, afterParts: parts.length }));
  const next = {
    ...progress,
    step: progress.step + 1,
    stepStart: parts.length,
    calls: {},
    steered: [...progress.steered, ...steered],
  };
  room.journal.transact(() => {
    for (const { id } of waiting) room.turns.markSteered(id);
    room.turns.save(turn.id, parts, next);
  });
  running.progress = next;
  answer.open = null;
}

function complete(room: Room, running: RunningTurn, { candidate, finish }: Written, asking: Asking): void {
  completeTurn(room, endingOf(running), {
    reason: finish.reason,
    contextTokens: finish.usage.inputTokens + finish.usage.outputTokens,
    metadata: {
      provider: candidate.kind,
      model: finish.model,
      latencyMs: room.services.now().getTime() - running.startedAtMs,
      ...(asking.firstTokenMs === null ? {} : { firstTokenMs: asking.firstTokenMs }),
    },
  });
}
