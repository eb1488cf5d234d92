import type { ConversationEvent } from "../../shared/contract/events.ts";
import { priceOf } from "../../shared/domain/catalogue/price-of.ts";
import type { ProviderFailure } from "../../shared/domain/model/provider-failure.ts";
import type { Candidate } from "../../shared/domain/routing/choose-model.ts";
import { hiddenFailure, isHidden } from "../../shared/domain/routing/rejections.ts";
import {
  type AfterFailure,
  afterFailure,
  errorOfFailure,
  followersOf,
} from "../../shared/domain/turn/after-failure.ts";
import { resumedAnswer } from "../../shared/domain/turn/answer.ts";
import { estimatedUsage, withOpenRequest } from "../../shared/domain/turn/open-request.ts";
import { isOutOfTime, keptOfBrokenStep, OUT_OF_TIME, withoutProofs } from "../../shared/domain/turn/progress.ts";
import { whatHappened } from "../../shared/domain/turn/what-happened.ts";
import { giveUpTurn } from "./end-turn.ts";
import { publish, type Room } from "./room.ts";
import type { PlannedCandidate, RunningTurn } from "./running-turn.ts";
import { showSnapshot } from "./show-snapshot.ts";
import type { Attempt, Finish } from "./stream-answer.ts";

/** Which model of the plan answers, and what went wrong until now in this execution. */
export interface Asking {
  candidates: readonly PlannedCandidate[];
  index: number;
  /** How often this model was asked for this step. */
  tries: number;
  continuations: number;
  failures: ProviderFailure[];
  /** As in the plan. */
  notes: readonly string[];
  firstTokenMs: number | null;
}

/** Adds what a step, or an attempt at one, has cost, which is over with that. @returns its cost in micro-USD */
export function spend(
  running: RunningTurn,
  candidate: Candidate,
  usage: Finish["usage"],
  costMicroUsd = priceOf(candidate.model, usage),
): number {
  const { progress } = running;
  const { spent } = progress;
  spent.inputTokens += usage.inputTokens;
  spent.outputTokens += usage.outputTokens;
  spent.cachedTokens += usage.cachedTokens;
  spent.microUsd += costMicroUsd;
  progress.open = null;
  return costMicroUsd;
}

/** What a broken attempt cost: by the vendor's word, else by an estimate where it had begun to write. */
function spendBroken(running: RunningTurn, candidate: Candidate, { usage, wrote }: Broken): number {
  const { open } = running.progress;
  running.progress.open = null;
  if (usage) return spend(running, candidate, usage);
  return wrote === "" ? 0 : spend(running, candidate, estimatedUsage(open?.inputTokens ?? 0, wrote));
}

type Broken = Extract<Attempt, { kind: "failure" }>;

/**
 * Brings a step on whose stream broke: by the same model, now or after a while, by the next of the plan, or to its end.
 * Text that was shown stays, with a seam after it.
 * @returns false when the turn has ended
 */
export async function failOver(room: Room, running: RunningTurn, asking: Asking, seen: Broken): Promise<boolean> {
  const { progress, answer } = running;
  const from = asking.candidates[asking.index];
  if (!from) return false;
  const isShared = room.journal.born.visibility !== "private";
  const broken = isHidden(from, isShared) ? { ...seen, failure: hiddenFailure(seen.failure) } : seen;
  const following = followersOf(asking.candidates, asking.index, broken.failure.kind);
  const microUsd = spendBroken(running, from, broken);
  asking.failures.push(broken.failure);
  const kept = keptOfBrokenStep(answer.parts, progress.stepStart);
  const next = afterFailure({
    failures: asking.failures,
    shown: kept.shown,
    answered: kept.parts.length > 0,
    tries: asking.tries,
    continuations: asking.continuations,
    following: asking.candidates[following[0] ?? -1] ?? null,
    doubtful: from.health === "down",
    random: room.services.random(),
  });
  const outOfTime = isOutOfTime(running, room.services.now().getTime());
  if (outOfTime || next.kind === "give-up") {
    const error = outOfTime
      ? { code: "provider_timeout" as const, message: OUT_OF_TIME }
      : errorOfFailure(broken.failure);
    giveUpTurn(room, { turn: running.turn, parts: kept.parts, progress }, error);
    return false;
  }
  const index = next.kind === "reroute" ? triedIndex(room, asking, following) : asking.index;
  const to = asking.candidates[index] ?? from;
  const isOther = index !== asking.index;
  if (isOther) progress.asked = refOf(to);
  // Text that was cut has its seam; an attempt that brought nothing leaves none.
  const seamAfter = kept.shown && broken.wrote !== "" ? kept.parts.length : null;
  const why = whatHappened(broken.failure.message);
  const told = tellings(running, { from, to, next, seamAfter, why, microUsd, isShared });
  takeUp(room, running, isOther && to.kind !== from.kind ? withoutProofs(kept.parts) : kept.parts, told);
  if (seamAfter !== null) asking.continuations++;
  asking.index = index;
  asking.tries = isOther ? 0 : asking.tries;
  if (next.kind === "again" && next.delayMs > 0) await pause(room, running, next.delayMs);
  return !running.abort.signal.aborted;
}

/**
 * Whom the request goes to now, of those who may have it; one that somebody else is trying right now is passed over while
 * there is yet another. Only whoever is asked is kept from the others for its trial.
 */
function triedIndex({ services }: Room, { candidates, index }: Asking, following: readonly number[]): number {
  const models = following.filter((at) => candidates[at]?.kind !== "guide");
  const free = models.slice(0, -1).find((at) => {
    const instance = candidates[at]?.instance;
    return instance && (instance.breaker !== "half-open" || services.health.trial(instance));
  });
  return free ?? models.at(-1) ?? following[0] ?? index;
}

/** What everyone is told of it, with what the broken attempt cost; said once. */
function tellings(
  running: RunningTurn,
  facts: {
    from: Candidate;
    to: Candidate;
    next: AfterFailure;
    seamAfter: number | null;
    why: string;
    microUsd: number;
    isShared: boolean;
  },
): ConversationEvent[] {
  const { from, to, next, seamAfter, why, microUsd, isShared } = facts;
  const isTold = from.kind === to.kind && !isHidden(from, isShared) && !isHidden(to, isShared);
  const cost = microUsd > 0 ? { microUsd } : {};
  const cut = seamAfter === null ? [] : [seam(running, seamAfter, why)];
  if (next.kind === "reroute") {
    const [before, after] = isTold ? [namedRef(from), namedRef(to)] : [refOf(from), refOf(to)];
    return [...cut, { ...rerouted(running, before, after, why), ...cost }];
  }
  const delayMs = next.kind === "again" ? next.delayMs : 0;
  if (delayMs === 0 && cut.length > 0) return cut.map((event) => ({ ...event, ...cost }));
  const seconds = Math.ceil(delayMs / 1_000);
  const again = `${why} ${from.model.name} is asked again ${seconds < 2 ? "in a moment" : `in ${seconds} seconds`}.`;
  return [...cut, { ...rerouted(running, refOf(from), refOf(from), again), ...cost }];
}

/** Waits, unless the turn ends meanwhile. */
function pause({ services }: Pick<Room, "services">, { abort }: RunningTurn, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      timer.cancel();
      abort.signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = services.timers.after(ms, end);
    abort.signal.addEventListener("abort", end, { once: true });
  });
}

/** A turn that is taken up again by another model than the one that wrote says so. */
export function tellOtherModel(room: Room, running: RunningTurn, to: Candidate): void {
  const { turn, progress, answer } = running;
  const from = progress.asked ?? turn.receipt?.chosen;
  progress.asked = refOf(to);
  if (!from || (from.model === to.model.id && from.provider === to.kind)) return;
  const parts = from.provider === to.kind ? answer.parts : withoutProofs(answer.parts);
  takeUp(room, running, parts, [rerouted(running, from, refOf(to), `${from.model} cannot be reached any more.`)]);
}

/** What is left of the answer becomes the answer, durable and for everyone. */
function takeUp(
  room: Room,
  running: RunningTurn,
  parts: RunningTurn["answer"]["parts"],
  events: ConversationEvent[],
): void {
  const isShorter = parts.length < running.answer.parts.length;
  running.answer = resumedAnswer(parts);
  const logged = room.journal.transact(() => {
    room.turns.save(running.turn.id, parts, running.progress);
    return room.journal.append(...events);
  });
  publish(room, logged);
  if (isShorter) showSnapshot(room);
}

/**
 * What everyone is told of a turn whose object went away. A request that was on its way may be billed all the same: it
 * is part of the sum from here on, and the next one does not leave without a word of it.
 * @param seamAfter how many parts of the answer stay with a seam behind them; null where there is none
 */
export function tellLost(running: RunningTurn, seamAfter: number | null): ConversationEvent[] {
  const { progress, turn } = running;
  const { open, asked, spent } = progress;
  progress.spent = withOpenRequest(spent, open, turn.parts);
  progress.open = null;
  const microUsd = progress.spent.microUsd - spent.microUsd;
  const cost = microUsd > 0 ? { microUsd } : {};
  if (seamAfter !== null)
    return [{ ...seam(running, seamAfter, "The server was restarted while this answer was being written."), ...cost }];
  if (!open || !asked) return [];
  const why = `The server was restarted while ${asked.model} was at it, which is asked again.`;
  return [{ ...rerouted(running, asked, asked, why), ...cost }];
}

/** The cut is visible: everyone is told, and the text that follows is a part of its own. */
export const seam = ({ turn }: Pick<RunningTurn, "turn">, afterParts: number, why: string): ConversationEvent => ({
  type: "turn:continued",
  turnId: turn.id,
  why,
  afterParts,
});

export interface AskedModel {
  provider: string;
  model: string;
  displayName?: string;
}

const namedRef = (candidate: Candidate): AskedModel => ({ ...refOf(candidate), displayName: candidate.displayName });

export const refOf = ({ kind, model }: Candidate): AskedModel => ({ provider: kind, model: model.id });

const rerouted = ({ turn }: RunningTurn, from: AskedModel, to: AskedModel, why: string): ConversationEvent => ({
  type: "turn:rerouted",
  turnId: turn.id,
  from: {
    provider: from.provider,
    model: from.model,
    ...(from.displayName === undefined ? {} : { displayName: from.displayName }),
  },
  to,
  why,
});
