import type { ModelEvent } from "../../shared/domain/model/model-event.ts";
import type { ModelRequest } from "../../shared/domain/model/model-request.ts";
import type { ProviderFailure } from "../../shared/domain/model/provider-failure.ts";
import { addToAnswer, answerLength } from "../../shared/domain/turn/answer.ts";
import type { Room } from "./room.ts";
import type { PlannedCandidate, RunningTurn } from "./running-turn.ts";

const CHECKPOINT_EVERY_MS = 250;
/** UTF-16 units; a row of the object's SQLite holds 2 MB. */
const MAX_ANSWER_LENGTH = 500_000;
/** A provider that is thought to be down gets a short chance only. */
const DOUBTFUL_HEADERS_MS = 5_000;
/** How long a stream may stand still, from the request to its first sign of life and between any two. */
export const STALL_MS = 60_000;

export type Finish = Extract<ModelEvent, { type: "finish" }>;
export type Attempt =
  | { kind: "finish"; finish: Finish; firstTokenMs: number | null }
  | { kind: "failure"; failure: ProviderFailure; usage: Finish["usage"] | null; began: boolean }
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
  const firstMs = candidate.health === "down" ? DOUBTFUL_HEADERS_MS : STALL_MS;
  let aliveAtMs = sentAtMs;
  let limitMs = firstMs;
  let stalled: ModelEvent | null = null;
  let wake = (_event: ModelEvent | null): void => {};
  const alive = (): void => {
    aliveAtMs = now().getTime();
    limitMs = STALL_MS;
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
  let timer = timers.after(firstMs, check);
  const onAbort = (): void => {
    own.abort();
    wake(null);
  };
  running.abort.signal.addEventListener("abort", onAbort, { once: true });
  const options = {
    signal: own.signal,
    onActivity: alive,
    ...(candidate.health === "down" ? { headersTimeoutMs: DOUBTFUL_HEADERS_MS } : {}),
  };
  const iterator = candidate.provider.stream(request, options)[Symbol.asyncIterator]();
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
  while (true) {
    const event = await stream.next();
    if (abort.signal.aborted) return { kind: "stale" };
    if (!event) {
      const message = `${candidate.displayName} ended its answer without a word.`;
      return failed({ kind: "stream_cut", message, retryable: true }, null, firstTokenMs);
    }
    if (event.type === "finish" || event.type === "failure") {
      report(room, candidate, event, firstTokenMs ?? 0);
      if (event.type === "finish") return { kind: "finish", finish: event, firstTokenMs };
      return failed(event.failure, event.usage ?? null, firstTokenMs);
    }
    const nowMs = services.now().getTime();
    firstTokenMs ??= nowMs - stream.sentAtMs;
    const delta = addToAnswer(answer, event, progress.step);
    if (delta) sessions.broadcast({ type: "message:delta", turnId: turn.id, messageId: turn.messageId, ...delta });
    if (nowMs - savedAtMs >= CHECKPOINT_EVERY_MS) {
      turns.checkpoint(turn.id, answer.parts);
      savedAtMs = nowMs;
    }
    if (answerLength(answer) > MAX_ANSWER_LENGTH)
      return { kind: "finish", finish: cutFinish(candidate.model.id), firstTokenMs };
  }
}

const failed = (failure: ProviderFailure, usage: Finish["usage"] | null, firstTokenMs: number | null): Attempt => ({
  kind: "failure",
  failure,
  usage,
  began: firstTokenMs !== null,
});

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

function report(
  { services }: Pick<Room, "services">,
  candidate: PlannedCandidate,
  event: Extract<ModelEvent, { type: "finish" | "failure" }>,
  latencyMs: number,
): void {
  if (event.type === "finish") services.providers.report(candidate.instanceId, { ok: true, latencyMs });
  else if (OUTAGES.has(event.failure.kind))
    services.providers.report(candidate.instanceId, { ok: false, error: event.failure.message });
}
