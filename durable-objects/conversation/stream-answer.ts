import type { Settings } from "../../shared/contract/settings.ts";
import type { ModelEvent } from "../../shared/domain/model/model-event.ts";
import type { ModelRequest } from "../../shared/domain/model/model-request.ts";
import type { ProviderFailure } from "../../shared/domain/model/provider-failure.ts";
import { trialPatienceMs } from "../../shared/domain/providers/breaker.ts";
import { addToAnswer, answerLength } from "../../shared/domain/turn/answer.ts";
import { estimatedUsage } from "../../shared/domain/turn/open-request.ts";
import type { Room } from "./room.ts";
import type { PlannedCandidate, RunningTurn } from "./running-turn.ts";

const CHECKPOINT_EVERY_MS = 250;
/** UTF-16 units; a row of the object's SQLite holds 2 MB. */
const MAX_ANSWER_LENGTH = 500_000;
/** A provider that is thought to be down gets a short chance only; the breaker gives one that may be well again a longer. */
const DOWN_HEADERS_MS = 5_000;
/** The adapters keep the time themselves, and say it better; the watch over them comes this much later. */
const WATCH_LATER_MS = 10;

export type Finish = Extract<ModelEvent, { type: "finish" }>;
export type Attempt =
  | { kind: "finish"; finish: Finish; firstTokenMs: number | null }
  | { kind: "failure"; failure: ProviderFailure; usage: Finish["usage"] | null; wrote: string }
  /** The turn has ended meanwhile. */
  | { kind: "stale" };

/** One request that is on its way. */
export interface OpenStream {
  /** The next event; null when there are no more, or nobody wants them any more. */
  next(): Promise<ModelEvent | null>;
  /** Ends the request, unless it has ended. */
  close(): void;
  sentAtMs: number;
}

/**
 * Sends the request at once; its first event is waited for later. The adapters watch their own streams; this watch
 * stands above them, so that no adapter can hold a turn for ever.
 */
export function openStream(
  room: Pick<Room, "services">,
  running: Pick<RunningTurn, "abort">,
  candidate: PlannedCandidate,
  request: ModelRequest,
): OpenStream {
  const { timers, now } = room.services;
  const sentAtMs = now().getTime();
  const own = new AbortController();
  const { headersTimeoutMs, idleTimeoutMs } = patienceWith(candidate, room.services.settings);
  let aliveAtMs = sentAtMs;
  let limitMs = headersTimeoutMs + WATCH_LATER_MS;
  let stalled: ModelEvent | null = null;
  let wake = (_event: ModelEvent | null): void => {};
  const alive = (): void => {
    aliveAtMs = now().getTime();
    limitMs = idleTimeoutMs + WATCH_LATER_MS;
  };
  const check = (): void => {
    const leftMs = aliveAtMs + limitMs - now().getTime();
    if (leftMs > 0) {
      timer = timers.after(leftMs, check);
      return;
    }
    stalled = stalledFailure(candidate);
    own.abort();
    wake(stalled);
  };
  let timer = timers.after(limitMs, check);
  const onAbort = (): void => {
    own.abort();
    wake(null);
  };
  running.abort.signal.addEventListener("abort", onAbort, { once: true });
  const options = { signal: own.signal, onActivity: alive, headersTimeoutMs, idleTimeoutMs };
  const iterator = candidate.instance.provider.stream(request, options)[Symbol.asyncIterator]();
  let first: Promise<IteratorResult<ModelEvent>> | null = iterator.next();
  first.catch(() => undefined); // told by `next`
  return {
    sentAtMs,
    async next() {
      if (stalled) return stalled;
      if (running.abort.signal.aborted) return null;
      const result = first ?? iterator.next();
      first = null;
      const event = await new Promise<ModelEvent | null>((resolve, reject) => {
        wake = resolve;
        result.then(({ done, value }) => resolve(done ? null : value), reject);
      });
      alive();
      return event;
    },
    close() {
      timer.cancel();
      running.abort.signal.removeEventListener("abort", onAbort);
      own.abort();
      iterator.return?.().catch(() => undefined);
    },
  };
}

/** How long a stream may stand still: from the request to its first sign of life, and between any two. */
function patienceWith(
  { health, instance }: PlannedCandidate,
  settings: Pick<Settings, "PROVIDER_HEADERS_TIMEOUT_MS" | "PROVIDER_IDLE_TIMEOUT_MS">,
): { headersTimeoutMs: number; idleTimeoutMs: number } {
  const trialMs =
    instance.breaker === "closed" ? Number.POSITIVE_INFINITY : trialPatienceMs(instance.trouble?.failures ?? 1);
  const most = health === "down" ? DOWN_HEADERS_MS : trialMs;
  return {
    headersTimeoutMs: Math.min(most, settings.PROVIDER_HEADERS_TIMEOUT_MS),
    idleTimeoutMs: settings.PROVIDER_IDLE_TIMEOUT_MS,
  };
}

const stalledFailure = ({ displayName }: PlannedCandidate): ModelEvent => ({
  type: "failure",
  failure: { kind: "timeout", message: `${displayName} sent nothing for too long.`, retryable: true },
});

/** Shows what a stream brings. The answer grows in place; checkpoints are far between. */
export async function followStream(
  room: Room,
  running: RunningTurn,
  candidate: PlannedCandidate,
  stream: OpenStream,
): Promise<Attempt> {
  try {
    return await readStream(room, running, candidate, stream);
  } finally {
    stream.close();
  }
}

async function readStream(
  room: Room,
  running: RunningTurn,
  candidate: PlannedCandidate,
  stream: OpenStream,
): Promise<Attempt> {
  const { services, sessions, turns } = room;
  const { turn, answer, abort, progress } = running;
  let savedAtMs = stream.sentAtMs;
  let firstTokenMs: number | null = null;
  let wrote = "";
  while (true) {
    const event = await stream.next();
    if (abort.signal.aborted) return { kind: "stale" };
    if (!event) {
      const message = `${candidate.displayName} ended its answer without a word.`;
      return { kind: "failure", failure: { kind: "stream_cut", message, retryable: true }, usage: null, wrote };
    }
    if (event.type === "finish" || event.type === "failure") {
      report(room, candidate, event, firstTokenMs ?? 0);
      if (event.type === "finish") return { kind: "finish", finish: event, firstTokenMs };
      return { kind: "failure", failure: event.failure, usage: event.usage ?? null, wrote };
    }
    const nowMs = services.now().getTime();
    firstTokenMs ??= nowMs - stream.sentAtMs;
    const delta = addToAnswer(answer, event, progress.step);
    wrote += delta?.text ?? "";
    if (delta) sessions.broadcast({ type: "message:delta", turnId: turn.id, messageId: turn.messageId, ...delta });
    if (nowMs - savedAtMs >= CHECKPOINT_EVERY_MS) {
      turns.checkpoint(turn.id, answer.parts);
      savedAtMs = nowMs;
    }
    if (answerLength(answer) > MAX_ANSWER_LENGTH)
      return { kind: "finish", finish: cutFinish(running, candidate.model.id, wrote), firstTokenMs };
  }
}

/** The vendor is not heard to its end, where it would have said what it bills. */
const cutFinish = ({ progress }: RunningTurn, model: string, wrote: string): Finish => ({
  type: "finish",
  reason: "length",
  model,
  usage: estimatedUsage(progress.open?.inputTokens ?? 0, wrote),
});

/** The breaker hears of every attempt; what speaks against the provider and what does not is its to know. */
function report(
  { services }: Pick<Room, "services">,
  { instance }: PlannedCandidate,
  event: Extract<ModelEvent, { type: "finish" | "failure" }>,
  latencyMs: number,
): void {
  if (event.type === "finish") return services.health.report(instance, { ok: true, latencyMs });
  const { kind, message: error, retryAfterMs } = event.failure;
  const asked = retryAfterMs === undefined ? {} : { retryAfterMs };
  services.health.report(instance, { ok: false, kind, error, ...asked });
}
