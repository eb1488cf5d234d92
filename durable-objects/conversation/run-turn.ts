import type { Usage } from "../../shared/contract/message.ts";
import { AppError } from "../../shared/domain/app-error.ts";
import { priceOf } from "../../shared/domain/catalogue/price-of.ts";
import { selectContext } from "../../shared/domain/context/select.ts";
import type { ModelEvent } from "../../shared/domain/model/model-event.ts";
import type { ProviderFailure } from "../../shared/domain/model/provider-failure.ts";
import { buildRequest } from "../../shared/domain/prompt/build-request.ts";
import type { Candidate } from "../../shared/domain/routing/choose-model.ts";
import { afterFailure, errorOfFailure, GUIDE_NOTE } from "../../shared/domain/turn/after-failure.ts";
import { addToAnswer, answerLength, hasText } from "../../shared/domain/turn/answer.ts";
import { historyTo } from "./history.ts";
import { type PlannedTurn, planTurn, startTurn } from "./plan-turn.ts";
import { publish, type Room } from "./room.ts";
import type { PlannedCandidate, RunningTurn } from "./running-turn.ts";

const CHECKPOINT_EVERY_MS = 250;
/** UTF-16 units; a row of the object's SQLite holds 2 MB. */
const MAX_ANSWER_LENGTH = 500_000;
/** A provider that is thought to be down gets a short chance only. */
const DOUBTFUL_HEADERS_MS = 5_000;

type Finish = Extract<ModelEvent, { type: "finish" }>;
type Attempt = { kind: "finish"; finish: Finish } | { kind: "failure"; failure: ProviderFailure } | { kind: "stale" };

interface Progress {
  failures: { candidate: Candidate; failure: ProviderFailure }[];
  firstTokenMs: number | null;
  continuations: number;
}

/**
 * One turn, from its plan to its end: context, route, request, stream, publish. Exactly one ending is written, and
 * none at all when the turn was stopped meanwhile: then its ending is there already. Never rejects.
 */
export async function runTurn(room: Room, running: RunningTurn, resumed: boolean): Promise<void> {
  try {
    const planned = await planTurn(room, running, resumed);
    if (running.abort.signal.aborted) return;
    const [first] = planned.candidates;
    if (!first) return failAtOnce(room, running, planned);
    await streamThrough(room, running, planned, resumed);
  } catch (error) {
    console.error(`turn ${running.turn.id} failed:`, error);
    if (running.abort.signal.aborted) return;
    const told = error instanceof AppError ? error.message : "Something went wrong inside Mosaic; try again.";
    room.queue.giveUp(running.turn, running.answer.parts, { code: "internal", message: told });
    running.abort.abort();
  }
}

/** No model can be asked: the turn starts only to say why it ends. */
function failAtOnce(room: Room, running: RunningTurn, planned: PlannedTurn): void {
  if (running.turn.state !== "running") startTurn(room, running, planned);
  const error = planned.error ?? { code: "no_route" as const, message: "No model can be reached." };
  room.queue.giveUp(running.turn, running.answer.parts, error);
}

async function streamThrough(room: Room, running: RunningTurn, planned: PlannedTurn, resumed: boolean): Promise<void> {
  const progress: Progress = { failures: [], firstTokenMs: null, continuations: 0 };
  const { candidates } = planned;
  let index = 0;
  while (true) {
    const candidate = candidates[index];
    if (!candidate) return;
    const stream = openStream(room, running, candidate, progress);
    if (index === 0 && !resumed && running.turn.state !== "running") {
      await room.services.timers.wait(0); // the request leaves before the write below, which everything sent later would wait for
      if (running.abort.signal.aborted) return;
      startTurn(room, running, planned);
    } else if (index === 0 && resumed) tellOtherModel(room, running, candidate);
    const attempt = await follow(room, running, candidate, progress, stream);
    if (attempt.kind === "stale") return;
    if (attempt.kind === "finish") return complete(room, running, candidate, attempt.finish, progress);
    progress.failures.push({ candidate, failure: attempt.failure });
    const next = afterFailure({
      failures: progress.failures.map((each) => each.failure),
      shown: hasText(running.answer.parts),
      continuations: progress.continuations,
      following: candidates[index + 1] ?? null,
    });
    if (next.kind === "continue") {
      progress.continuations++;
      seam(room, running, attempt.failure.message);
    } else if (next.kind === "reroute") {
      const following = candidates[index + 1];
      if (following) reroute(room, running, candidate, following, attempt.failure.message);
      index++;
    } else return room.queue.giveUp(running.turn, running.answer.parts, errorOfFailure(attempt.failure));
  }
}

interface OpenStream {
  events: AsyncIterable<ModelEvent>;
  sentAtMs: number;
}

/** Sends the request at once; its first event is waited for later. */
function openStream(room: Room, running: RunningTurn, candidate: PlannedCandidate, progress: Progress): OpenStream {
  const options = {
    signal: running.abort.signal,
    ...(candidate.health === "down" ? { headersTimeoutMs: DOUBTFUL_HEADERS_MS } : {}),
  };
  const request = requestFor(room, running, candidate, progress);
  const iterator = candidate.provider.stream(request, options)[Symbol.asyncIterator]();
  let first: Promise<IteratorResult<ModelEvent>> | null = iterator.next();
  const next = (): Promise<IteratorResult<ModelEvent>> => {
    const result = first ?? iterator.next();
    first = null;
    return result;
  };
  const end = async (): Promise<IteratorResult<ModelEvent>> =>
    (await iterator.return?.()) ?? { done: true, value: undefined };
  const events = { [Symbol.asyncIterator]: () => ({ next, return: end }) };
  return { events, sentAtMs: room.services.now().getTime() };
}

/** Shows what a stream brings. The answer grows in place; checkpoints are far between. */
async function follow(
  room: Room,
  running: RunningTurn,
  candidate: PlannedCandidate,
  progress: Progress,
  { events, sentAtMs }: OpenStream,
): Promise<Attempt> {
  const { services, sessions, turns } = room;
  const { turn, answer, abort } = running;
  let savedAtMs = sentAtMs;
  for await (const event of events) {
    if (abort.signal.aborted) return { kind: "stale" };
    if (event.type === "finish" || event.type === "failure") {
      if (event.type === "finish" || OUTAGES.has(event.failure.kind)) {
        services.providers.report(candidate.instanceId, outcomeOf(event, progress.firstTokenMs ?? 0));
      }
      return event.type === "finish" ? { kind: "finish", finish: event } : { kind: "failure", failure: event.failure };
    }
    const nowMs = services.now().getTime();
    progress.firstTokenMs ??= nowMs - sentAtMs;
    const delta = addToAnswer(answer, event, 0);
    if (delta) sessions.broadcast({ type: "message:delta", turnId: turn.id, messageId: turn.messageId, ...delta });
    if (nowMs - savedAtMs >= CHECKPOINT_EVERY_MS) {
      turns.checkpoint(turn.id, answer.parts);
      savedAtMs = nowMs;
    }
    if (answerLength(answer) > MAX_ANSWER_LENGTH) return { kind: "finish", finish: cutFinish(candidate.model.id) };
  }
  const message = `${candidate.displayName} ended its answer without a word.`;
  return { kind: "failure", failure: { kind: "stream_cut", message, retryable: true } };
}

const cutFinish = (model: string): Finish => ({
  type: "finish",
  reason: "length",
  model,
  usage: { inputTokens: 0, outputTokens: 0, cachedTokens: 0 },
});

/** What speaks against a provider; a request that it rightly refuses does not. */
const OUTAGES = new Set([
  "unreachable",
  "timeout",
  "overloaded",
  "server_error",
  "stream_cut",
  "protocol",
  "unauthenticated",
]);

const outcomeOf = (event: Extract<ModelEvent, { type: "finish" | "failure" }>, latencyMs: number) =>
  event.type === "finish" ? ({ ok: true, latencyMs } as const) : ({ ok: false, error: event.failure.message } as const);

function requestFor(room: Room, running: RunningTurn, candidate: Candidate, progress: Progress) {
  const { turn, answer } = running;
  const window = candidate.model.contextWindow;
  const context = selectContext(historyTo(room.journal, turn, window), window);
  const notes = progress.failures.map((each) => `${GUIDE_NOTE}${each.failure.message}`);
  return buildRequest({
    model: candidate.model.id,
    provider: candidate.kind,
    messages: context.messages,
    replyTo: turn.replyTo,
    maxOutputTokens: candidate.model.maxOutputTokens,
    ...(candidate.kind === "guide" && notes.length > 0 ? { system: notes.join("\n") } : {}),
    ...(hasText(answer.parts) ? { partial: answer.parts } : {}),
  });
}

/** The cut is visible: everyone is told, and the text that follows is a part of its own. */
function seam(room: Room, running: RunningTurn, why: string): void {
  running.answer.open = null;
  const logged = room.journal.transact(() => {
    room.turns.checkpoint(running.turn.id, running.answer.parts);
    return room.journal.append({ type: "turn:continued", turnId: running.turn.id, why });
  });
  publish(room, logged);
}

/** A turn that is taken up again by another model says so. */
function tellOtherModel(room: Room, running: RunningTurn, to: Candidate): void {
  const { turn } = running;
  const from = turn.receipt?.chosen;
  if (!from || from.model === to.model.id) return;
  const why = `${from.model} cannot be reached any more.`;
  const change = {
    from: { provider: from.provider, model: from.model },
    to: { provider: to.kind, model: to.model.id },
    why,
  };
  publish(
    room,
    room.journal.transact(() => room.journal.append({ type: "turn:rerouted", turnId: turn.id, ...change })),
  );
}

function reroute(room: Room, running: RunningTurn, from: Candidate, to: Candidate, why: string): void {
  const hadThoughts = running.answer.parts.length > 0; // text never gets here
  running.answer.parts.length = 0;
  running.answer.open = null;
  const logged = room.journal.transact(() =>
    room.journal.append({
      type: "turn:rerouted",
      turnId: running.turn.id,
      from: { provider: from.kind, model: from.model.id },
      to: { provider: to.kind, model: to.model.id },
      why,
    }),
  );
  publish(room, logged);
  const { id: turnId, messageId } = running.turn;
  if (hadThoughts) room.sessions.broadcast({ type: "message:snapshot", turnId, messageId, parts: [] });
}

function complete(room: Room, running: RunningTurn, candidate: Candidate, finish: Finish, progress: Progress): void {
  const { journal, turns, services, queue } = room;
  const { turn, answer } = running;
  const usage: Usage = finish.usage;
  const microUsd = finish.costMicroUsd ?? priceOf(candidate.model, usage);
  const logged = journal.transact(() => {
    const message = queue.answerMessage(turn, answer.parts, finish.reason, {
      provider: candidate.kind,
      model: finish.model,
      usage,
      microUsd,
      latencyMs: services.now().getTime() - running.startedAtMs,
      ...(progress.firstTokenMs === null ? {} : { firstTokenMs: progress.firstTokenMs }),
    });
    turns.end(turn.id, "completed");
    if (!message) return [];
    journal.addUsage(usage, microUsd);
    return journal.append({ type: "turn:completed", turnId: turn.id, message, usage });
  });
  publish(room, logged);
}
