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
      turns.add({ id, messageId, replyTo, model }, "started", seq);
      turns.markRunning(id, receipt, Date.parse(at));
      journal.setMeta("receipt", JSON.stringify(receipt));
      return;
    }
    case "turn:completed":
      turns.end(event.turnId, "completed");
      journal.addUsage(event.usage, event.message.metadata.microUsd ?? 0);
      return;
    case "turn:interrupted": {
      if (event.willContinue) return;
      turns.end(event.turnId, "interrupted");
      const { usage, microUsd = 0 } = event.message.metadata;
      if (usage) journal.addUsage(usage, microUsd);
      return;
    }
    case "turn:failed":
      turns.end(event.turnId, "failed");
  }
}
