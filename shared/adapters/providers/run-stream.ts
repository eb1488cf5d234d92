import type { Usage } from "../../contract/message.ts";
import type { ModelEvent, ProviderFailure } from "../../ports/model-provider.ts";
import { failureOf, failureOfThrown } from "./errors.ts";
import { type Watch, type WatchSetup, watchRequest } from "./watched-fetch.ts";

/** Reads one vendor's answer. May throw, may end early: `runStream` makes a failure of it. */
export type ReadAnswer = (watch: Watch, usage: UsageSoFar) => AsyncIterable<ModelEvent>;

/** What a vendor has counted until now; goes with a failure, because a cut answer is paid for too. */
export interface UsageSoFar {
  current?: Usage;
}

/** What cannot be parsed at the very end of a body is the half of an event that was cut. */
function failureAtEnd(watch: Watch, { vendor, model }: WatchSetup, thrown: unknown): ProviderFailure {
  const failure = failureOfThrown(vendor, thrown, model);
  return failure.kind === "protocol" && watch.ended() ? failureOf("stream_cut", vendor) : failure;
}

/** The promise every adapter gives: never throws, the last event is `finish` or `failure`, leaving early ends the request. */
export async function* runStream(setup: WatchSetup, read: ReadAnswer): AsyncGenerator<ModelEvent, void, undefined> {
  const watch = watchRequest(setup);
  const usage: UsageSoFar = {};
  let last: ModelEvent | undefined;
  try {
    for await (const event of read(watch, usage)) {
      if (watch.failure()) break;
      if (event.type === "finish" || event.type === "failure") {
        last = event;
        watch.settle();
        break;
      }
      yield event;
    }
  } catch (thrown) {
    last ??= { type: "failure", failure: watch.failure() ?? failureAtEnd(watch, setup, thrown) };
  } finally {
    watch.close();
  }
  last ??= { type: "failure", failure: watch.failure() ?? failureOf("stream_cut", setup.vendor) };
  yield last.type === "failure" && usage.current ? { ...last, usage: usage.current } : last;
}
