import type { ConversationContext } from "../../shared/contract/conversation.ts";
import type { SessionInfo } from "../../shared/contract/frames.ts";
import type { Receipt } from "../../shared/contract/receipt.ts";
import { selectContext } from "../../shared/domain/context/select.ts";
import { readBack } from "./history.ts";
import type { Room } from "./room.ts";

type Described = Pick<Room, "journal" | "queue" | "outbox" | "sessions" | "services" | "turns">;

/** Everything a surface shows beside the messages. From memory and the object's own rows; asks nobody. */
export function sessionInfo(room: Described): SessionInfo {
  const { journal, sessions, outbox, turns } = room;
  const conversation = journal.born;
  const receipt = lastReceipt(room);
  const windowTokens = Number(journal.meta("window") ?? 0) || null;
  return {
    conversationId: conversation.id,
    title: conversation.title,
    agent: null,
    personality: null,
    model: receipt
      ? {
          provider: receipt.chosen.provider,
          id: conversation.model ?? receipt.chosen.model,
          contextWindow: windowTokens,
          pinned: conversation.model !== null,
        }
      : conversation.model
        ? { provider: "", id: conversation.model, contextWindow: null, pinned: true }
        : null,
    routing: receipt,
    context: { usedTokens: Number(journal.meta("contextTokens") ?? 0), windowTokens },
    usage: journal.usage(),
    storage: outbox.storage,
    busy: turns.openCount() > 0,
    attached: sessions.count,
  };
}

export function broadcastSession(room: Described): void {
  if (!room.journal.conversation || room.sessions.count === 0) return;
  room.sessions.broadcast({ type: "session:info", ...sessionInfo(room) });
}

/** What the next message would send along. */
export function conversationContext(room: Described): ConversationContext {
  const { journal } = room;
  const session = sessionInfo(room);
  const windowTokens = session.context.windowTokens;
  const path = readBack(journal, journal.born.headId, windowTokens, null);
  const selection = selectContext(path, windowTokens);
  const { messages } = journal.counts();
  return {
    model: session.model
      ? { provider: session.model.provider, id: session.model.id, contextWindow: windowTokens }
      : null,
    usedTokens: selection.usedTokens,
    windowTokens,
    messages,
    included: selection.messages.length,
    leftOut: Math.max(0, messages - selection.messages.length),
  };
}

const lastReceipt = (room: Described): Receipt | null => {
  const stored = room.journal.meta("receipt");
  return stored ? (JSON.parse(stored) as Receipt) : null;
};
