import type { ConversationContext } from "../../shared/contract/conversation.ts";
import type { SessionInfo } from "../../shared/contract/frames.ts";
import { ProviderKind, partsOfModelName } from "../../shared/contract/model.ts";
import type { Receipt } from "../../shared/contract/receipt.ts";
import { selectContext } from "../../shared/domain/context/select.ts";
import { readBack } from "./history.ts";
import type { PinnedModel } from "./pinned-model.ts";
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
    model: modelOf(conversation.model, receipt, windowTokens, pinnedModel(room)),
    routing: receipt,
    context: { usedTokens: Number(journal.meta("contextTokens") ?? 0), windowTokens },
    usage: journal.usage(),
    storage: outbox.storage,
    busy: turns.openCount() > 0,
    attached: sessions.count,
  };
}

/** Something that `session:info` shows has changed. */
export function broadcastSession({ journal, sessions }: Pick<Room, "journal" | "sessions">): void {
  if (journal.conversation) sessions.announce();
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

const pinnedModel = (room: Described): PinnedModel | null => {
  const stored = room.journal.meta("pinned");
  return stored ? (JSON.parse(stored) as PinnedModel) : null;
};

/** The pinned model, with what was known of it when it was pinned; else the last one that was chosen. */
function modelOf(
  pinned: string | null,
  receipt: Receipt | null,
  contextWindow: number | null,
  known: PinnedModel | null,
): SessionInfo["model"] {
  if (pinned === null) {
    return receipt
      ? { provider: receipt.chosen.provider, id: receipt.chosen.model, contextWindow, pinned: false }
      : null;
  }
  const { provider, id } = partsOfModelName(pinned);
  if (known?.name !== pinned) {
    // Whose instance it is says nothing to anybody; only a turn reads the providers.
    const kind = ProviderKind.safeParse(provider);
    return { provider: kind.data ?? "", id, contextWindow: null, pinned: true };
  }
  return { provider: known.provider, id: known.id, contextWindow: known.contextWindow, pinned: true };
}
