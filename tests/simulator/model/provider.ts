import type { ProviderErrorKind } from "../../../shared/domain/model/provider-failure.ts";
import type { ModelEvent, ModelProvider, ModelRequest, StreamOptions } from "../../../shared/ports/model-provider.ts";
import type { Disk } from "./disk.ts";
import type { Awake } from "./object-host.ts";
import type { Scheduler } from "./scheduler.ts";

/** How often each thing goes wrong with a stream, 0 to 1. */
export interface ProviderMood {
  failsBefore: number;
  failsMidway: number;
  hangs: number;
  saysNothing: number;
  thinks: number;
  /** Goes on speaking after it was told to stop. */
  speaksAfterAbort: number;
  callsTools: number;
}

export const GOOD_MOOD: Readonly<ProviderMood> = {
  failsBefore: 0,
  failsMidway: 0,
  hangs: 0,
  saysNothing: 0,
  thinks: 0.2,
  speaksAfterAbort: 0,
  callsTools: 0,
};

const KINDS: readonly ProviderErrorKind[] = ["overloaded", "server_error", "unreachable", "rate_limited", "timeout"];
const MIDWAY: readonly ProviderErrorKind[] = ["stream_cut", "server_error", "timeout", "protocol"];
const USAGE = { inputTokens: 10, outputTokens: 5, cachedTokens: 0 };
const IDLE_TIMEOUT_MS = 60_000;

type Next = (result: IteratorResult<ModelEvent>) => void;

/** A request whose answer arrives in pieces. */
class Stream implements AsyncIterator<ModelEvent> {
  readonly #waiting: ModelEvent[] = [];
  #next: Next | null = null;
  #isOver = false;
  readonly #end: () => void;

  constructor(end: () => void) {
    this.#end = end;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  push(event: ModelEvent): void {
    if (this.#isOver) return;
    if (event.type === "finish" || event.type === "failure") {
      this.#isOver = true;
      this.#end();
    }
    const next = this.#next;
    this.#next = null;
    if (next) next({ done: false, value: event });
    else this.#waiting.push(event);
  }

  next(): Promise<IteratorResult<ModelEvent>> {
    const event = this.#waiting.shift();
    if (event) return Promise.resolve({ done: false, value: event });
    if (this.#isOver) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => {
      this.#next = resolve;
    });
  }

  return(): Promise<IteratorResult<ModelEvent>> {
    this.#isOver = true;
    this.#end();
    return Promise.resolve({ done: true, value: undefined });
  }
}

/** A vendor whose answers are drawn by chance; every request leaves through the object's output gate. */
export class ScriptedProvider implements ModelProvider {
  readonly kind = "anthropic" as const;
  readonly #parts: { scheduler: Scheduler; disk: Disk; awake: Awake; mood: () => ProviderMood; asked(): void };

  constructor(parts: { scheduler: Scheduler; disk: Disk; awake: Awake; mood: () => ProviderMood; asked(): void }) {
    this.#parts = parts;
  }

  async models(): Promise<never[]> {
    return [];
  }

  stream(request: ModelRequest, { signal }: StreamOptions): AsyncIterable<ModelEvent> {
    const { scheduler, disk, awake, mood, asked } = this.#parts;
    const { random } = scheduler;
    const { speaksAfterAbort } = mood();
    const stream = new Stream(awake.begin());
    signal.addEventListener("abort", () => {
      if (random.chance(speaksAfterAbort)) return;
      stream.push(failure("aborted"));
    });
    disk.gate(() => {
      scheduler.after(random.between(1, 8), "provider:request", () => {
        asked();
        if (awake.life.alive) this.#play(stream, this.#script(mood(), request), awake);
      });
    });
    return { [Symbol.asyncIterator]: () => stream };
  }

  #script(mood: ProviderMood, request: ModelRequest): ModelEvent[] {
    const { random } = this.#parts.scheduler;
    if (random.chance(mood.failsBefore)) {
      // Some ask for patience, a few for more than anybody has.
      return [failure(random.pick(KINDS), random.chance(0.3) ? random.between(1, 40_000) : undefined)];
    }
    const events: ModelEvent[] = [];
    if (random.chance(mood.thinks)) {
      events.push({ type: "thinking-delta", text: "hm " });
      if (random.chance(0.7)) events.push({ type: "thinking-end", signature: "s" });
    }
    const tool = request.tools?.length && random.chance(mood.callsTools) ? random.pick(request.tools) : null;
    if (!random.chance(mood.saysNothing)) {
      const words = random.between(1, 3);
      for (let word = 0; word < words; word++) events.push({ type: "text-delta", text: `word${random.below(1_000)} ` });
    }
    if (random.chance(mood.failsMidway)) {
      events.splice(random.below(events.length + 1));
      return [...events, failure(random.pick(MIDWAY))];
    }
    if (random.chance(mood.hangs)) return events;
    const model = request.model;
    if (!tool) return [...events, { type: "finish", reason: "stop", usage: USAGE, model }];
    const callId = `call${random.below(1_000_000)}`;
    events.push({ type: "tool-call", callId, name: tool.name, input: { x: 1 } });
    return [...events, { type: "finish", reason: "tool-calls", usage: USAGE, model }];
  }

  #play(stream: Stream, events: ModelEvent[], awake: Awake): void {
    const { scheduler } = this.#parts;
    const [event, ...rest] = events;
    const { random } = scheduler;
    if (!event) {
      const cut = (): void => stream.push(failure("timeout"));
      scheduler.after(IDLE_TIMEOUT_MS, "provider:timeout", cut, awake.life);
      return;
    }
    const delayMs = random.chance(0.1) ? random.between(200, 700) : random.between(2, 60);
    const arrive = (): void => {
      if (stream.isOver) return;
      stream.push(event);
      if (event.type !== "finish" && event.type !== "failure") this.#play(stream, rest, awake);
    };
    scheduler.after(delayMs, "provider:chunk", arrive, awake.life);
  }
}

const failure = (kind: ProviderErrorKind, retryAfterMs?: number): ModelEvent => ({
  type: "failure",
  failure: {
    kind,
    message: `The provider: ${kind}.`,
    retryable: true,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  },
});
