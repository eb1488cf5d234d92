import type { ConversationEvent } from "../../shared/contract/events.ts";
import { priceOf } from "../../shared/domain/catalogue/price-of.ts";
import type { ProviderFailure } from "../../shared/domain/model/provider-failure.ts";
import type { Candidate } from "../../shared/domain/routing/choose-model.ts";
import { afterFailure, errorOfFailure } from "../../shared/domain/turn/after-failure.ts";
import { resumedAnswer } from "../../shared/domain/turn/answer.ts";
import { isOutOfTime, keptOfBrokenStep, OUT_OF_TIME, withoutProofs } from "../../shared/domain/turn/progress.ts";
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
  firstTokenMs: number | null;
}

/** Adds what a step, or an attempt at one, has cost. */
export function spend(running: RunningTurn, candidate: Candidate, usage: Finish["usage"], costMicroUsd?: number): void {
  const { spent } = running.progress;
  spent.inputTokens += usage.inputTokens;
  spent.outputTokens += usage.outputTokens;
  spent.cachedTokens += usage.cachedTokens;
  spent.microUsd += costMicroUsd ?? priceOf(candidate.model, usage);
}

/**
 * Brings a step on whose stream broke: by the same model, by the next of the plan, or to its end. Text that was shown
 * stays, with a seam after it.
 * @returns false when the turn has ended
 */
export function failOver(
  room: Room,
  running: RunningTurn,
  asking: Asking,
  broken: Extract<Attempt, { kind: "failure" }>,
): boolean {
  const { progress, answer } = running;
  const from = asking.candidates[asking.index];
  const to = asking.candidates[asking.index + 1];
  if (!from) return false;
  if (broken.usage) spend(running, from, broken.usage);
  asking.failures.push(broken.failure);
  const kept = keptOfBrokenStep(answer.parts, progress.stepStart);
  const next = afterFailure({
    failures: asking.failures,
    shown: kept.shown,
    answered: kept.parts.length > 0,
    began: broken.began,
    tries: asking.tries,
    continuations: asking.continuations,
    following: to ?? null,
  });
  const outOfTime = isOutOfTime(running, room.services.now().getTime());
  if (outOfTime || next.kind === "give-up") {
    const error = outOfTime
      ? { code: "provider_timeout" as const, message: OUT_OF_TIME }
      : errorOfFailure(broken.failure);
    giveUpTurn(room, { turn: running.turn, parts: kept.parts, progress }, error);
    return false;
  }
  const isOther = next.kind === "reroute" && to !== undefined;
  const why = broken.failure.message;
  if (isOther) progress.asked = refOf(to);
  takeUp(room, running, isOther && to.kind !== from.kind ? withoutProofs(kept.parts) : kept.parts, [
    ...(kept.shown ? [seam(running, kept.parts.length, why)] : []),
    ...(isOther ? [rerouted(running, refOf(from), refOf(to), why)] : []),
  ]);
  if (kept.shown) asking.continuations++;
  asking.index += isOther ? 1 : 0;
  asking.tries = isOther ? 0 : asking.tries;
  return true;
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
}

export const refOf = ({ kind, model }: Candidate): AskedModel => ({ provider: kind, model: model.id });

const rerouted = ({ turn }: RunningTurn, from: AskedModel, to: AskedModel, why: string): ConversationEvent => ({
  type: "turn:rerouted",
  turnId: turn.id,
  from: { provider: from.provider, model: from.model },
  to,
  why,
});
