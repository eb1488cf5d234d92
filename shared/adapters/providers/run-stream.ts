import type { Usage } from "../../contract/message.ts";
import type { ModelEvent } from "../../ports/model-provider.ts";
import { failureOf, failureOfThrown } from "./errors.ts";
import { type Watch, type WatchSetup, watchRequest } from "./watched-fetch.ts";

/** Reads one vendor's answer. May throw, may end early: `runStream` makes a failure of it. */
export type ReadAnswer = (watch: Watch, usage: UsageSoFar) => AsyncIterable<ModelEvent>;

/** What a vendor has counted until now; goes with a failure, because a cut answer is paid for too. */
export interface UsageSoFar {
  current?: Usage;
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
    last ??= { type: "failure", failure: watch.failure() ?? failureOfThrown(setup.vendor, thrown, setup.model) };
  } finally {
    watch.close();
  }
  last ??= { type: "failure", failure: watch.failure() ?? failureOf("stream_cut", setup.vendor) };
  yield last.type === "failure" && usage.current ? { ...last, usage: usage.current } : last;
}
