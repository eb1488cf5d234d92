import type { TurnError } from "../../shared/contract/events.ts";
import type { Receipt } from "../../shared/contract/receipt.ts";
import { selectContext } from "../../shared/domain/context/select.ts";
import { chooseModel } from "../../shared/domain/routing/choose-model.ts";
import type { TurnConfiguration } from "../../shared/ports/conversation-store.ts";
import { historyTo } from "./history.ts";
import { publish, type Room } from "./room.ts";
import type { PlannedCandidate, RunningTurn } from "./running-turn.ts";
import { broadcastSession } from "./session-info.ts";

/** After this long a turn goes on with the last settings it knows. */
const CONFIGURATION_DEADLINE_MS = 250;
/** How long the first message after a start waits for providers that were never asked before. */
const FIRST_PROBE_DEADLINE_MS = 1_500;

export type PlannedTurn = { ok: true; candidates: PlannedCandidate[] } | { ok: false; error: TurnError };

/** Reads what a turn depends on, chooses, and writes `turn:started` with the receipt. A resumed turn keeps its first event. */
export async function planTurn(room: Room, running: RunningTurn, resumed: boolean): Promise<PlannedTurn> {
  const { services, journal } = room;
  const { turn } = running;
  const [configuration, instances] = await Promise.all([
    readConfiguration(room),
    services.providers.instances(FIRST_PROBE_DEADLINE_MS),
  ]);
  if (running.abort.signal.aborted) return { ok: true, candidates: [] };
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
  const window = choice.candidates[0]?.model.contextWindow;
  if (window) journal.setMeta("window", String(window));
  if (!earlier) start(room, running, choice.receipt);
  if (choice.error) return { ok: false, error: choice.error };
  return {
    ok: true,
    candidates: choice.candidates.flatMap((candidate) => {
      const instance = instances.find((each) => each.id === candidate.instanceId);
      return instance ? [{ ...candidate, provider: instance.provider }] : [];
    }),
  };
}

/** The turn leaves the queue: from here on it is in the log, and ends there. */
function start(room: Room, running: RunningTurn, receipt: Receipt): void {
  const { journal, turns } = room;
  const { turn } = running;
  const logged = journal.transact(() => {
    turns.markRunning(turn.id, receipt, running.startedAtMs);
    journal.setMeta("receipt", JSON.stringify(receipt));
    const { id: turnId, messageId, replyTo } = turn;
    return journal.append({ type: "turn:started", turnId, messageId, replyTo, parentId: journal.born.headId, receipt });
  });
  running.turn = { ...turn, state: "running", receipt };
  publish(room, logged);
  broadcastSession(room);
}

/** Fresh within the deadline, else the object's last good copy. */
async function readConfiguration(room: Room): Promise<{ value: TurnConfiguration | null; from: "fresh" | "snapshot" }> {
  const { services, journal } = room;
  const { ownerUserId, workspaceId } = journal.born;
  const fresh = services.configuration.read({ userId: ownerUserId }, workspaceId).catch(() => null);
  const value = await Promise.race([fresh, scheduler.wait(CONFIGURATION_DEADLINE_MS).then(() => null)]);
  const snapshot = journal.meta("configuration");
  if (!value) return { value: snapshot ? (JSON.parse(snapshot) as TurnConfiguration) : null, from: "snapshot" };
  const text = JSON.stringify(value);
  if (text !== snapshot) journal.setMeta("configuration", text);
  return { value, from: "fresh" };
}
