import type { ConversationEvent, TurnError } from "../../shared/contract/events.ts";
import type { Receipt } from "../../shared/contract/receipt.ts";
import { selectContext } from "../../shared/domain/context/select.ts";
import { DEFAULT_TITLE, titleFrom } from "../../shared/domain/conversation/title.ts";
import { chooseModel } from "../../shared/domain/routing/choose-model.ts";
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
    candidates: choice.candidates.flatMap((candidate) => {
      const instance = instances.find((each) => each.id === candidate.instanceId);
      return instance ? [{ ...candidate, provider: instance.provider }] : [];
    }),
  };
}

/** The turn leaves the queue: from here on it is in the log, and ends there. */
export function startTurn(room: Room, running: RunningTurn, { receipt, candidates }: PlannedTurn): void {
  const { journal, turns } = room;
  const { turn } = running;
  const window = candidates[0]?.model.contextWindow;
  const logged = journal.transact(() => {
    turns.markRunning(turn.id, receipt, running.startedAtMs);
    journal.setMeta("receipt", JSON.stringify(receipt));
    if (window) journal.setMeta("window", String(window));
    const { id: turnId, messageId, replyTo } = turn;
    const { headId: parentId } = journal.born;
    const started = { type: "turn:started" as const, turnId, messageId, replyTo, parentId, receipt };
    return journal.append(started, ...firstTitle(journal, replyTo));
  });
  running.turn = { ...turn, state: "running", receipt };
  publish(room, logged);
  broadcastSession(room);
}

/** A conversation that nobody named is called after its first message. */
function firstTitle(journal: Room["journal"], questionId: string): ConversationEvent[] {
  if (journal.born.title !== DEFAULT_TITLE) return [];
  const title = titleFrom(journal.message(questionId)?.message.parts ?? []);
  return title === null ? [] : [{ type: "title:changed", title }];
}
