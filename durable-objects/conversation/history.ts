import type { Message } from "../../shared/contract/message.ts";
import { inputBudget, messageTokens } from "../../shared/domain/context/select.ts";
import { historyFor } from "../../shared/domain/prompt/order-history.ts";
import type { Journal } from "./journal.ts";
import type { Turn } from "./turn-table.ts";

/**
 * The path that a turn answers, oldest first, without its own unfinished answer and without deleted messages; read
 * backwards only as far as the model's window can hold.
 */
export function historyTo(
  journal: Journal,
  turn: Pick<Turn, "messageId" | "replyTo">,
  windowTokens: number | null,
): Message[] {
  const from = journal.message(turn.messageId)?.message.parentId ?? journal.born.headId ?? turn.replyTo;
  return historyFor(readBack(journal, from, windowTokens, turn.replyTo), turn.replyTo);
}

/** The newest messages of the path to `headId` that may fit a window. */
export function readBack(
  journal: Journal,
  headId: string | null,
  windowTokens: number | null,
  mustReach: string | null,
): Message[] {
  const budget = inputBudget(windowTokens);
  const messages: Message[] = [];
  let tokens = 0;
  let reached = mustReach === null;
  for (const { message, deleted } of journal.pathBack(headId)) {
    if (!deleted) {
      messages.push(message);
      tokens += messageTokens(message);
    }
    reached ||= message.id === mustReach;
    if (reached && tokens > budget) break;
  }
  return messages.reverse();
}
