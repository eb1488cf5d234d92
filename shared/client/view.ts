/**
 * What a person sees of a conversation, from the frames of its socket. Pure. Events apply once and in order; what is
 * repeated, early or unknown changes nothing, so that any mix of replay and live frames ends in the same view.
 */
import type { ServerFrame } from "../contract/frames.ts";
import { activeMessages, withLiveAnswer } from "./active-messages.ts";
import { applyEvent } from "./apply-event.ts";
import type { IncomingFrame } from "./decode-frame.ts";
import { addNotice, type Draft, draftOf, viewOf } from "./draft.ts";
import { applyDelta } from "./running-turn.ts";
import { emptyView, type RunningTurn, type View, type ViewAction, type ViewMessage } from "./view-state.ts";

type Snapshot = Extract<ServerFrame, { type: "message:snapshot" }>;

function applySnapshot(draft: Draft, { turnId, messageId, parts }: Snapshot): void {
  const turn = draft.turns.get(turnId);
  if (turn && turn.state !== "running" && turn.state !== "interrupted") return;
  if (draft.running && draft.running.turnId !== turnId && turn === undefined && draft.seq > 0) return;
  draft.running = { turnId, messageId, parts, state: "streaming", awaitingSnapshot: false };
}

function applyFrame(draft: Draft, frame: IncomingFrame): void {
  switch (frame.type) {
    case "welcome":
      draft.conversationId = frame.conversationId;
      draft.features = frame.features;
      draft.session = frame.session;
      draft.title = frame.session.title;
      draft.welcomedAt = frame.lastSeq;
      return;
    case "session:info": {
      const { type: _, ...session } = frame;
      draft.session = session;
      draft.title = session.title;
      return;
    }
    case "event":
      if (frame.seq !== draft.seq + 1) return;
      draft.seq = frame.seq;
      applyEvent(draft, frame);
      return;
    case "unknown-event":
      if (frame.seq === draft.seq + 1) draft.seq = frame.seq;
      return;
    case "message:delta":
      if (draft.running) draft.running = applyDelta(draft.running, frame);
      return;
    case "message:snapshot":
      applySnapshot(draft, frame);
      return;
    case "error":
      // With an id it is the answer to a verb, which whoever called it is told.
      if (frame.id === undefined) {
        const key = `error:${draft.seq}:${frame.code}:${frame.message}`;
        addNotice(draft, { key, kind: "error", text: frame.message, turnId: null, canRetry: false });
      }
      return;
    default:
      return;
  }
}

/** After a cut, words may be missing from an answer that had begun: the snapshot that follows the welcome says. */
function afterCut(running: RunningTurn | null): RunningTurn | null {
  return running && running.parts.length > 0 ? { ...running, awaitingSnapshot: true } : running;
}

function apply(draft: Draft, action: ViewAction): void {
  switch (action.type) {
    case "frame":
      applyFrame(draft, action.frame);
      return;
    case "connection":
      draft.connection = action.connection;
      if (action.connection.state === "waiting") draft.running = afterCut(draft.running);
      return;
    case "pending":
      draft.pending = action.pending;
      return;
    case "taken":
      draft.taken = new Map(draft.taken).set(action.id, action.state);
      return;
    case "start":
      draft.seq = action.seq;
      return;
    case "reset": {
      const { connection, pending, taken } = draft;
      Object.assign(draft, draftOf(emptyView), { connection, pending, taken });
      return;
    }
  }
}

const sameTree = (a: View, b: View): boolean =>
  a.tree === b.tree && a.turns === b.turns && a.headId === b.headId && a.pending === b.pending && a.taken === b.taken;

function messagesOf(before: View, after: View): readonly ViewMessage[] {
  if (sameTree(before, after) && before.running === after.running) return before.messages;
  const onlyGrew = sameTree(before, after) && before.running?.messageId === after.running?.messageId;
  return (onlyGrew ? withLiveAnswer(after) : null) ?? activeMessages(after, before.messages);
}

/** Applies actions in order. Cheaper than one at a time where many come at once, as in a replay. */
export function reduceAll(view: View, actions: readonly ViewAction[]): View {
  const draft = draftOf(view);
  for (const action of actions) apply(draft, action);
  const next = viewOf(draft);
  return { ...next, messages: messagesOf(view, next) };
}

export const reduceView = (view: View, action: ViewAction): View => reduceAll(view, [action]);
