import type { ConversationEvent, LoggedEvent } from "../../contract/events.ts";
import type { Message } from "../../contract/message.ts";

/** What one event changes in the current state of a conversation. */
export type Change =
  | { kind: "put"; message: Message }
  | { kind: "delete"; messageId: string }
  | { kind: "fail"; turnId: string }
  | { kind: "head"; messageId: string | null }
  | { kind: "model"; model: string | null }
  | { kind: "title"; title: string };

/** An answer as it begins: empty, at its place in the tree. */
export function openedAnswer(
  logged: { seq: number; at: string },
  started: Extract<ConversationEvent, { type: "turn:started" }>,
): Message {
  return {
    id: started.messageId,
    seq: logged.seq,
    updatedSeq: logged.seq,
    parentId: started.parentId ?? null,
    role: "assistant",
    parts: [],
    metadata: {
      turnId: started.turnId,
      replyTo: started.replyTo,
      receiptId: started.receipt.id,
      provider: started.receipt.chosen.provider,
      model: started.receipt.chosen.model,
    },
    createdAt: logged.at,
  };
}

/** The log's effect, one event at a time; the same on the first day and when an object is rebuilt. */
export function changesOf(logged: LoggedEvent): Change[] {
  const { event } = logged;
  switch (event.type) {
    case "message:added":
      return [
        { kind: "put", message: event.message },
        { kind: "head", messageId: event.message.id },
      ];
    case "turn:started":
      return [
        { kind: "put", message: openedAnswer(logged, event) },
        { kind: "head", messageId: event.messageId },
      ];
    case "message:updated":
    case "turn:completed":
    case "turn:interrupted":
      return [{ kind: "put", message: event.message }];
    case "message:deleted":
      return [{ kind: "delete", messageId: event.messageId }];
    case "turn:failed":
      return [{ kind: "fail", turnId: event.turnId }];
    case "head:moved":
      return [{ kind: "head", messageId: event.messageId }];
    case "model:switched":
      return [{ kind: "model", model: event.pinned ? event.model : null }];
    case "title:changed":
      return [{ kind: "title", title: event.title }];
    default:
      return [];
  }
}
