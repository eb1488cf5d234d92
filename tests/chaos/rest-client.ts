/** A script without sockets: posts with `Idempotency-Key` until it hears an answer, and reads the log as server-sent events. */
import { setTimeout as sleep } from "node:timers/promises";
import type { ChaosClient, ClientDeps } from "./chaos-client.ts";
import { type ClientHistory, emptyHistory, type Reading } from "./history.ts";
import type { SendStep } from "./plan.ts";

const RETRY_MS = 150;

function codeOf(status: number, text: string): string {
  try {
    return `${status} ${JSON.parse(text).code}`;
  } catch {
    return String(status);
  }
}

export class RestClient implements ChaosClient {
  readonly history: ClientHistory;
  readonly #deps: ClientDeps;
  readonly #end = new AbortController();
  #lastSeq = 0;

  constructor(deps: ClientDeps) {
    this.#deps = deps;
    this.history = emptyHistory(deps.plan.name, true);
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }

  async run(): Promise<void> {
    const { plan, lane } = this.#deps;
    void this.#follow();
    for (const step of plan.steps) {
      await lane.room();
      if (lane.isClosing || lane.isOver) return;
      if (step.pauseMs > 0) await sleep(step.pauseMs);
      this.history.sent.push({ id: step.id, text: step.text });
      for (let copy = 0; copy <= step.repeats; copy += 1) await this.#post(step, copy);
    }
  }

  stop(): void {
    this.#end.abort();
  }

  #call(path: string, init: RequestInit): Promise<Response> {
    const { url, person, lane } = this.#deps;
    const { headers, ...rest } = init;
    return fetch(`${url}/api/conversations/${lane.conversationId}${path}`, {
      ...rest,
      headers: { authorization: `Bearer ${person.token}`, ...headers },
    });
  }

  async #post(step: SendStep, copy: number): Promise<void> {
    const { lane, progress } = this.#deps;
    // A script that is cut off in the middle of its own request asks once more, as all do that hear nothing.
    const hangsUp = step.dropsAfter && copy === 0;
    for (let attempt = 0; !lane.isOver; attempt += 1) {
      const patience = AbortSignal.timeout(hangsUp && attempt === 0 ? 3 : 10_000);
      try {
        const response = await this.#call("/messages", {
          method: "POST",
          headers: { "content-type": "application/json", "idempotency-key": step.id },
          body: JSON.stringify({ text: step.text, whenBusy: step.whenBusy }),
          signal: patience,
        });
        const text = await response.text();
        if (response.status === 202) {
          const { messageId, seq }: { messageId: string; seq: number } = JSON.parse(text);
          this.history.acks.push({ id: messageId, seq });
          progress.acknowledged(messageId);
          return;
        }
        this.history.refused.push({ id: step.id, code: codeOf(response.status, text) });
      } catch (error) {
        // Not heard; asked again with the same key.
        this.history.refused.push({ id: step.id, code: error instanceof Error ? error.name : "unheard" });
      }
      await sleep(RETRY_MS);
    }
  }

  async #follow(): Promise<void> {
    while (!this.#end.signal.aborted) {
      try {
        const response = await this.#call("/events?after=0", {
          headers: {
            accept: "text/event-stream",
            ...(this.#lastSeq > 0 && { "last-event-id": String(this.#lastSeq) }),
          },
          signal: this.#end.signal,
        });
        if (response.ok && response.body) await this.#read(response.body);
        else await response.body?.cancel();
      } catch {
        // Cut; resumed below.
      }
      if (!this.#end.signal.aborted) await sleep(RETRY_MS);
    }
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    const { lane } = this.#deps;
    const reading: Reading = { since: this.#lastSeq, events: [] };
    this.history.readings.push(reading);
    const decoder = new TextDecoder();
    let waiting = "";
    for await (const chunk of body) {
      waiting += decoder.decode(chunk, { stream: true });
      const blocks = waiting.split("\n\n");
      waiting = blocks.pop() ?? "";
      for (const block of blocks) {
        // Only what can be replayed carries an id.
        if (!block.startsWith("id: ")) continue;
        const data = block.split("\n").find((line) => line.startsWith("data: "));
        if (!data) continue;
        const { seq, event }: { seq: number; event: unknown } = JSON.parse(data.slice(6));
        reading.events.push({ seq, print: lane.saw(seq, event) });
        this.#lastSeq = seq;
      }
    }
  }
}
