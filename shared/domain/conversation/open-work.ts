import type { LoggedEvent } from "../../contract/events.ts";

/** What a log leaves open, as far as it was read. */
export interface OpenWork {
  /** Turns that began and have no ending, by their answer. */
  turns: Map<string, { messageId: string; replyTo: string }>;
  /** Messages of people that no turn took up, with their positions. */
  asked: Map<string, number>;
}

export const noWork = (): OpenWork => ({ turns: new Map(), asked: new Map() });

/** Reads one more event; in the order of the log. */
export function noteWork({ turns, asked }: OpenWork, { seq, event }: LoggedEvent): void {
  switch (event.type) {
    case "message:added":
      // What a fork copied was answered where it came from.
      if (event.message.role === "user" && !event.message.metadata.forkedFrom) asked.set(event.message.id, seq);
      return;
    case "message:deleted":
      asked.delete(event.messageId);
      return;
    case "turn:started":
      asked.delete(event.replyTo);
      turns.set(event.turnId, { messageId: event.messageId, replyTo: event.replyTo });
      return;
    case "turn:completed":
    case "turn:interrupted":
      for (const messageId of event.message.metadata.steeredBy ?? []) asked.delete(messageId);
      if (event.type === "turn:completed" || !event.willContinue) turns.delete(event.turnId);
      return;
    case "turn:failed":
      turns.delete(event.turnId);
  }
}
