import type { ConversationEvent, LoggedEvent } from "../../shared/contract/events.ts";
import type { Receipt } from "../../shared/contract/receipt.ts";
import { DEFAULT_TITLE, titleFrom } from "../../shared/domain/conversation/title.ts";
import { unroutedReceipt } from "../../shared/domain/routing/choose-model.ts";
import type { Room } from "./room.ts";
import type { Turn } from "./turn-table.ts";

type Parts = Pick<Room, "journal" | "turns" | "services">;

/** The turn leaves the queue: from here on it is in the log, and ends there. Call inside `transact`. */
export function beginTurn({ journal, turns }: Parts, turn: Turn, receipt: Receipt, startedAtMs: number): LoggedEvent[] {
  if (!turns.markRunning(turn.id, receipt, startedAtMs)) throw new Error(`Turn ${turn.id} does not wait any more.`);
  const { id: turnId, messageId, replyTo } = turn;
  const { headId: parentId } = journal.born;
  const started = { type: "turn:started" as const, turnId, messageId, replyTo, parentId, receipt };
  return journal.append(started, ...firstTitle(journal, replyTo));
}

/**
 * A turn that ends before a model was chosen begins all the same, so that its message is seen to have an ending. Does
 * nothing for a turn that has begun. Call inside `transact`.
 */
export function beginUnrouted(room: Parts, turn: Turn, reason: string): LoggedEvent[] {
  if (room.turns.find(turn.id)?.state !== "queued") return [];
  const receipt = unroutedReceipt(
    {
      receiptId: room.services.newId(),
      parts: room.journal.message(turn.replyTo)?.message.parts ?? [],
      pinned: turn.model,
      inputTokens: 0,
      configuration: "snapshot",
    },
    turn.model ?? "none",
    reason,
  );
  return beginTurn(room, turn, receipt, room.services.now().getTime());
}

/** A conversation that nobody named is called after its first message. */
function firstTitle(journal: Room["journal"], questionId: string): ConversationEvent[] {
  if (journal.born.title !== DEFAULT_TITLE) return [];
  const title = titleFrom(journal.message(questionId)?.message.parts ?? []);
  return title === null ? [] : [{ type: "title:changed", title }];
}
