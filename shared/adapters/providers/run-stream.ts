import type { Usage } from "../../contract/message.ts";
import type { ModelEvent, ProviderFailure, StreamOptions } from "../../ports/model-provider.ts";
import type { Access, OpenedSecret } from "./access.ts";
import { failureOfThrown } from "./classify-failure.ts";
import { failureOf, type Vendor } from "./errors.ts";
import { EventFilter } from "./hide-secrets.ts";
import { type Watch, watchRequest } from "./watched-fetch.ts";

/** What a vendor has counted until now; goes with a failure, because a cut answer is paid for too. */
export interface UsageSoFar {
  current?: Usage;
}

/** One call to a vendor, and what it may use while it lasts. */
export interface Call {
  watch: Watch;
  vendor: Vendor;
  secret: OpenedSecret;
  usage: UsageSoFar;
}

/** Reads one vendor's answer. May throw, may end early: `runStream` makes a failure of it. */
export type ReadAnswer = (call: Call) => AsyncIterable<ModelEvent>;

export interface StreamSetup {
  access: Access;
  model: string;
  options: StreamOptions;
  /** Content types of an answer; anything else in a 2xx is an error body or not the vendor. */
  accepts: readonly string[];
}

/** What cannot be parsed at the very end of a body is the half of an event that was cut. */
function failureAtEnd(watch: Watch, vendor: Vendor, model: string, thrown: unknown): ProviderFailure {
  const failure = failureOfThrown(vendor, thrown, model);
  return failure.kind === "protocol" && watch.ended() ? failureOf("stream_cut", vendor) : failure;
}

/** The promise every adapter gives: never throws, the last event is `finish` or `failure`, leaving early ends the request. */
export async function* runStream(setup: StreamSetup, read: ReadAnswer): AsyncGenerator<ModelEvent, void, undefined> {
  const { access, model, options, accepts } = setup;
  const vendor = access.vendor();
  const watch = watchRequest({ vendor, fetch: access.fetchFor(vendor), model, options, accepts });
  const usage: UsageSoFar = {};
  let last: Extract<ModelEvent, { type: "finish" | "failure" }> | undefined;
  let filter: EventFilter | undefined;
  try {
    const secret = await watch.within(() => access.open(vendor));
    filter = new EventFilter(vendor.secrets);
    for await (const event of read({ watch, vendor, secret, usage })) {
      if (watch.failure()) break;
      if (event.type === "finish" || event.type === "failure") {
        last = event;
        watch.settle();
        break;
      }
      yield* filter.pass(event);
    }
  } catch (thrown) {
    last ??= { type: "failure", failure: watch.failure() ?? failureAtEnd(watch, vendor, model, thrown) };
  } finally {
    watch.close();
  }
  last ??= { type: "failure", failure: watch.failure() ?? failureOf("stream_cut", vendor) };
  if (last.type === "failure" && usage.current) last = { ...last, usage: usage.current };
  if (filter) yield* filter.pass(last);
  else yield last;
}
