import type { ConversationEvent, LoggedEvent } from "../../contract/events.ts";
import type { Message } from "../../contract/message.ts";
import { unroutedReceipt } from "../routing/choose-model.ts";
import { noteWork, noWork } from "./open-work.ts";
import { changesOf } from "./project.ts";

const CUT = "The conversation was exported while this answer was being written.";
const UNANSWERED = "The conversation was exported before this message was answered; ask again.";

/** The log with an ending for everything that it leaves open: nobody is at work on it any more. */
export function endOpenWork(log: readonly LoggedEvent[], facts: { at: string; newId(): string }): LoggedEvent[] {
  const work = noWork();
  const messages = new Map<string, Message>();
  const ended: LoggedEvent[] = [];
  let headId: string | null = null;
  const add = (logged: LoggedEvent): void => {
    ended.push(logged);
    noteWork(work, logged);
    for (const change of changesOf(logged)) {
      if (change.kind === "put") messages.set(change.message.id, change.message);
      if (change.kind === "head") headId = change.messageId;
    }
  };
  const append = (event: ConversationEvent): void => add({ seq: ended.length + 1, at: facts.at, event });
  const interrupt = (turnId: string, messageId: string, why: string): void => {
    const answer = messages.get(messageId);
    if (!answer) return;
    const message: Message = {
      ...answer,
      updatedSeq: ended.length + 1,
      metadata: { ...answer.metadata, finishReason: "stopped" },
    };
    append({ type: "turn:interrupted", turnId, message, why, willContinue: false });
  };
  for (const logged of log) add(logged);
  for (const [turnId, { messageId }] of [...work.turns]) interrupt(turnId, messageId, CUT);
  for (const replyTo of [...work.asked.keys()]) {
    const [turnId, messageId, receiptId] = [facts.newId(), facts.newId(), facts.newId()];
    const parts = messages.get(replyTo)?.parts ?? [];
    const wanted = messages.get(replyTo)?.metadata.model ?? null;
    const receipt = unroutedReceipt(
      { receiptId, parts, pinned: wanted, inputTokens: 0, configuration: "snapshot" },
      wanted ?? "none",
      UNANSWERED,
    );
    append({ type: "turn:started", turnId, messageId, replyTo, parentId: headId, receipt });
    interrupt(turnId, messageId, UNANSWERED);
  }
  return ended;
}
