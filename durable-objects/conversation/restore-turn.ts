import type { LoggedEvent } from "../../shared/contract/events.ts";
import type { Room } from "./room.ts";

/** What the object keeps of turns beside the log: their rows, totals, the last receipt. Call inside `transact`, in order. */
export function restoreTurn(
  { journal, turns }: Pick<Room, "journal" | "turns">,
  { seq, at, event }: LoggedEvent,
): void {
  switch (event.type) {
    case "turn:started": {
      const { turnId: id, messageId, replyTo, receipt } = event;
      const model = journal.message(replyTo)?.message.metadata.model ?? null;
      // Who asked stands in no event, and need not: a turn that comes from the log is over.
      turns.add({ id, messageId, replyTo, model, askedBy: null }, "started", seq);
      turns.markRunning(id, receipt, Date.parse(at));
      journal.setMeta("receipt", JSON.stringify(receipt));
      return;
    }
    case "turn:completed": {
      const { turnId, usage, message } = event;
      turns.end(turnId, "completed");
      journal.addUsage(usage, message.metadata.microUsd ?? 0, usage.inputTokens + usage.outputTokens);
      return;
    }
    case "turn:interrupted": {
      if (event.willContinue) return;
      turns.end(event.turnId, "interrupted");
      const { usage, microUsd = 0 } = event.message.metadata;
      if (usage) journal.addUsage(usage, microUsd, null);
      return;
    }
    case "turn:failed": {
      const { turnId, usage, microUsd = 0 } = event;
      turns.end(turnId, "failed");
      if (usage) journal.addUsage(usage, microUsd, null);
    }
  }
}
