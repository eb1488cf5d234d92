import type { ConversationEvent, TurnError } from "../../shared/contract/events.ts";
import type { FinishReason, Message, Part, Usage } from "../../shared/contract/message.ts";
import { hasOutput } from "../../shared/domain/turn/answer.ts";
import { withOpenRequest } from "../../shared/domain/turn/open-request.ts";
import type { TurnProgress } from "../../shared/domain/turn/progress.ts";
import { openCalls } from "../../shared/domain/turn/tool-call.ts";
import { beginUnrouted } from "./begin-turn.ts";
import { publish, type Room } from "./room.ts";
import type { Turn } from "./turn-table.ts";

export interface EndingTurn {
  turn: Turn;
  parts: readonly Part[];
  progress: TurnProgress;
}

type Parts = Pick<Room, "journal" | "turns" | "services" | "sessions" | "outbox">;
type Metadata = Message["metadata"];
type Spent = TurnProgress["spent"];

/**
 * A turn's one ending, with everything that goes with it: the answer's last form, the cost, and messages that were to
 * reach it and did not, which get turns of their own. All in one transaction.
 */
export function completeTurn(
  room: Parts,
  { turn, parts, progress }: EndingTurn,
  how: { reason: FinishReason; metadata: Metadata; contextTokens: number },
): void {
  const { journal, turns } = room;
  const { microUsd, ...usage } = progress.spent;
  const logged = journal.transact(() => {
    const message = answerMessage(room, turn, parts, {
      ...how.metadata,
      ...steeringOf(progress.steered),
      usage,
      microUsd,
      finishReason: how.reason,
    });
    turns.end(turn.id, "completed");
    if (!message) return [];
    countSpent(room, progress.spent, how.contextTokens);
    return journal.append({ type: "turn:completed", turnId: turn.id, message, usage });
  });
  publish(room, logged);
}

/** The end of a turn that was cut: what was shown is kept, in the log and for everyone. */
export function interruptTurn(room: Parts, { turn, parts: written, progress }: EndingTurn, why: string): void {
  const { journal, turns } = room;
  const { parts, events } = closeCalls(turn, written, progress);
  const sum = withOpenRequest(progress.spent, progress.open, written);
  const answered = progress.steered.filter((each) =>
    parts.slice(each.afterParts).some((part) => part.type !== "thinking"),
  );
  const unanswered = stillThere(
    room,
    progress.steered.filter((each) => !answered.includes(each)),
  );
  const logged = journal.transact(() => {
    const begun = beginUnrouted(room, turn, why);
    turns.end(turn.id, "interrupted", unanswered);
    const steering = steeringOf(answered);
    const message = answerMessage(room, turn, parts, { ...costOf(sum), ...steering, finishReason: "stopped" });
    if (!message) return begun;
    countSpent(room, sum, null);
    const ending = { type: "turn:interrupted" as const, turnId: turn.id, message, why, willContinue: false };
    return [...begun, ...journal.append(...events, ending)];
  });
  publish(room, logged);
}

/** The end of a turn that failed: interrupted where anything was shown, failed where there was nothing. Always told. */
export function giveUpTurn(room: Parts, ending: EndingTurn, error: TurnError): void {
  if (!hasOutput(ending.parts)) return failTurn(room, ending, error);
  try {
    interruptTurn(room, ending, error.message);
  } catch (reason) {
    // An answer that cannot be stored must not keep its turn open for ever.
    console.error(`turn ${ending.turn.id} cannot keep its answer:`, reason);
    failTurn(room, ending, error);
  }
}

function failTurn(room: Parts, { turn, parts, progress }: EndingTurn, error: TurnError): void {
  const { journal, turns } = room;
  const sum = withOpenRequest(progress.spent, progress.open, parts);
  const logged = journal.transact(() => {
    const begun = beginUnrouted(room, turn, error.message);
    turns.end(turn.id, "failed", stillThere(room, progress.steered));
    countSpent(room, sum, null);
    const ending = { type: "turn:failed" as const, turnId: turn.id, error, canRetry: true, ...costOf(sum) };
    return [...begun, ...journal.append(ending)];
  });
  publish(room, logged);
}

/** The answer as it stands in the tree, with new parts; null when its message is gone. */
function answerMessage(
  { journal }: Pick<Room, "journal">,
  turn: Turn,
  parts: readonly Part[],
  metadata: Metadata,
): Message | null {
  const stored = journal.message(turn.messageId);
  if (!stored) return null;
  const { message } = stored;
  return {
    ...message,
    updatedSeq: journal.lastSeq + 1,
    parts: [...parts],
    metadata: { ...message.metadata, ...metadata },
  };
}

/** Nobody waits for an answer to a message that was deleted. */
const stillThere = ({ journal }: Parts, steered: TurnProgress["steered"]): string[] =>
  steered.map((each) => each.messageId).filter((id) => journal.message(id)?.deleted === false);

const steeringOf = (steered: TurnProgress["steered"]): Metadata =>
  steered.length === 0
    ? {}
    : { steeredBy: steered.map((each) => each.messageId), steeredAt: steered.map((each) => each.afterParts) };

/** Calls that were asked for and not finished end with their turn; calls still being written are none. */
function closeCalls(
  turn: Turn,
  written: readonly Part[],
  progress: TurnProgress,
): { parts: Part[]; events: ConversationEvent[] } {
  const open = openCalls(written, progress.step);
  const cut = open.filter((call) => progress.calls[call.callId] !== undefined);
  const unasked = new Set<Part>(open.filter((call) => !cut.includes(call)));
  const outcome = { output: "The turn ended before this call did.", isError: true };
  const results = cut.map(({ callId, step }): Part => ({ type: "tool-result", callId, step, ...outcome }));
  return {
    parts: [...written.filter((part) => !unasked.has(part)), ...results],
    events: cut.map(({ callId }) => ({ type: "tool:completed", turnId: turn.id, callId, outcome })),
  };
}

/** What an ending says of its cost: nothing where there was none. */
const costOf = ({ microUsd, ...usage }: Spent): { usage: Usage; microUsd: number } | Record<string, never> =>
  usage.inputTokens + usage.outputTokens + microUsd > 0 ? { usage, microUsd } : {};

/** Adds what a turn cost to the conversation's totals; only a whole answer says how full the context is. */
function countSpent({ journal }: Pick<Room, "journal">, spent: Spent, contextTokens: number | null): void {
  const { microUsd, ...usage } = spent;
  if (usage.inputTokens + usage.outputTokens + microUsd === 0 && contextTokens === null) return;
  journal.addUsage(usage, microUsd, contextTokens);
}
