import type { TurnError } from "../../shared/contract/events.ts";
import type { Receipt } from "../../shared/contract/receipt.ts";
import { selectContext } from "../../shared/domain/context/select.ts";
import { type Candidate, chooseModel } from "../../shared/domain/routing/choose-model.ts";
import { beginTurn } from "./begin-turn.ts";
import { historyTo } from "./history.ts";
import { publish, type Room } from "./room.ts";
import type { PlannedCandidate, RunningTurn } from "./running-turn.ts";
import { broadcastSession } from "./session-info.ts";

/** How long the first message after a start waits for providers that were never asked before. */
const FIRST_PROBE_DEADLINE_MS = 1_500;

export interface PlannedTurn {
  /** In the order in which they are asked; empty where `error` says why. */
  candidates: PlannedCandidate[];
  error: TurnError | null;
  receipt: Receipt;
}

/** Reads what a turn depends on and chooses; writes nothing. A resumed turn keeps its receipt's id. */
export async function planTurn(room: Room, running: RunningTurn, resumed: boolean): Promise<PlannedTurn> {
  const { services, journal } = room;
  const { turn } = running;
  const [configuration, instances] = await Promise.all([
    room.configuration.read(),
    services.providers.instances(FIRST_PROBE_DEADLINE_MS),
  ]);
  const question = journal.message(turn.replyTo)?.message.parts ?? [];
  const earlier = resumed ? turn.receipt : null;
  const choice = chooseModel({
    receiptId: earlier?.id ?? services.newId(),
    parts: question,
    pinned: turn.model ?? journal.born.model,
    preferred: configuration.value?.workspace.defaultModel ?? null,
    instances,
    inputTokens: selectContext(historyTo(journal, turn, null), null).usedTokens,
    configuration: configuration.from,
  });
  return {
    receipt: choice.receipt,
    error: choice.error,
    candidates: keepFirst(choice.candidates, running.progress.asked?.model ?? earlier?.chosen.model).flatMap(
      (candidate) => {
        const instance = instances.find((each) => each.id === candidate.instanceId);
        return instance ? [{ ...candidate, provider: instance.provider }] : [];
      },
    ),
  };
}

/** Writes that the turn has begun, with its receipt, and tells everyone. */
export function startTurn(room: Room, running: RunningTurn, { receipt, candidates }: PlannedTurn): void {
  const { journal } = room;
  const window = candidates[0]?.model.contextWindow;
  const logged = journal.transact(() => {
    journal.setMeta("receipt", JSON.stringify(receipt));
    if (window) journal.setMeta("window", String(window));
    const begun = beginTurn(room, running.turn, receipt, running.startedAtMs);
    room.turns.save(running.turn.id, running.answer.parts, running.progress);
    return begun;
  });
  running.turn = { ...running.turn, state: "running", receipt };
  publish(room, logged);
  broadcastSession(room);
}

/** A turn that is taken up again stays with its model, as long as that can be had. */
function keepFirst(candidates: Candidate[], model: string | undefined): Candidate[] {
  const kept = candidates.filter((candidate) => candidate.model.id === model);
  return [...kept, ...candidates.filter((candidate) => !kept.includes(candidate))];
}
