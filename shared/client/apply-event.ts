import type { ConversationEvent } from "../contract/events.ts";
import type { Message } from "../contract/message.ts";
import { partsOfModelName } from "../contract/model.ts";
import { addNotice, type Draft, setEntry, setTurn } from "./draft.ts";
import { withToolCall, withToolResult } from "./running-turn.ts";
import type { Notice, RunningTurn, Turn } from "./view-state.ts";

interface Logged {
  seq: number;
  at: string;
  event: ConversationEvent;
}
type EventOf<Type extends ConversationEvent["type"]> = Extract<ConversationEvent, { type: Type }>;

const put = (draft: Draft, message: Message): void => setEntry(draft, { message, deleted: false });

const notice = (seq: number, kind: Notice["kind"], text: string, turnId: string | null, canRetry = false): Notice => ({
  key: `${seq}:${kind}`,
  kind,
  text,
  turnId,
  canRetry,
});

function turnOf(draft: Draft, turnId: string, messageId: string, replyTo: string | null): Turn {
  const known = draft.turns.get(turnId);
  if (known) return known;
  // Its start was before what was replayed.
  return {
    id: turnId,
    messageId,
    replyTo,
    receipt: null,
    state: "running",
    usage: null,
    needsApproval: [],
    notices: [],
  };
}

/** What is said again right after it was said adds nothing; a seam in another place is another one. */
function withNotice(notices: Notice[], next: Notice): Notice[] {
  const last = notices.at(-1);
  const again = last?.kind === next.kind && last.text === next.text && last.afterParts === next.afterParts;
  return again ? notices.with(-1, { ...next, key: last.key }) : [...notices, next];
}

/** Where the log does not say how far the answer was when it was cut, only having seen it happen does. */
function partsWhenCut(draft: Draft, seq: number, { turnId, afterParts }: EventOf<"turn:continued">) {
  if (afterParts !== undefined) return { afterParts };
  const { running, welcomedAt } = draft;
  const live = welcomedAt !== null && seq > welcomedAt;
  if (!live || running?.turnId !== turnId || running.awaitingSnapshot || running.parts.length === 0) return {};
  return { afterParts: running.parts.length };
}

function changeTurn(draft: Draft, turnId: string, change: (turn: Turn) => Partial<Turn>): void {
  const turn = draft.turns.get(turnId);
  if (turn) setTurn(draft, { ...turn, ...change(turn) });
}

function changeRunning(draft: Draft, turnId: string, change: (running: RunningTurn) => Partial<RunningTurn>): void {
  if (draft.running?.turnId === turnId) draft.running = { ...draft.running, ...change(draft.running) };
}

function endRunning(draft: Draft, turnId: string): void {
  if (draft.running?.turnId === turnId) draft.running = null;
}

function startTurn(draft: Draft, { seq, at }: Logged, event: EventOf<"turn:started">): void {
  const { turnId, messageId, replyTo, receipt } = event;
  put(draft, {
    id: messageId,
    seq,
    updatedSeq: seq,
    parentId: event.parentId === undefined ? replyTo : event.parentId,
    role: "assistant",
    parts: [],
    metadata: { turnId, replyTo, provider: receipt.chosen.provider, model: receipt.chosen.model },
    createdAt: at,
  });
  setTurn(draft, { ...turnOf(draft, turnId, messageId, replyTo), receipt });
  draft.headId = messageId;
  // A snapshot of this turn may have come first; and a waiting turn that is stopped begins only to end, beside another.
  const { running } = draft;
  if (!running || (running.turnId !== turnId && draft.turns.get(running.turnId)?.state !== "running")) {
    draft.running = { turnId, messageId, parts: [], state: "streaming", awaitingSnapshot: false };
  }
}

function endTurn(draft: Draft, { seq }: Logged, event: EventOf<"turn:completed" | "turn:interrupted">): void {
  const { turnId, message } = event;
  put(draft, message);
  const turn = turnOf(draft, turnId, message.id, message.metadata.replyTo ?? message.parentId);
  if (event.type === "turn:completed") {
    setTurn(draft, { ...turn, state: "completed", usage: event.usage, needsApproval: [] });
    endRunning(draft, turnId);
    return;
  }
  const notices = withNotice(turn.notices, notice(seq, "interrupted", event.why, turnId));
  setTurn(draft, { ...turn, notices, state: event.willContinue ? "interrupted" : "stopped" });
  if (!event.willContinue) endRunning(draft, turnId);
  else changeRunning(draft, turnId, () => ({ parts: message.parts, state: "interrupted", awaitingSnapshot: false }));
}

function failTurn(draft: Draft, { seq }: Logged, { turnId, error, canRetry }: EventOf<"turn:failed">): void {
  changeTurn(draft, turnId, (turn) => ({
    state: "failed",
    needsApproval: [],
    notices: withNotice(turn.notices, notice(seq, "failed", error.message, turnId, canRetry)),
  }));
  const running = draft.running;
  if (running?.turnId !== turnId) return;
  // What was written before the failure stays readable.
  const entry = draft.tree.get(running.messageId);
  if (entry && entry.message.parts.length === 0) put(draft, { ...entry.message, parts: running.parts });
  draft.running = null;
}

function applyTool(draft: Draft, event: EventOf<"tool:requested" | "tool:completed">): void {
  const { turnId } = event;
  if (event.type === "tool:requested") {
    changeRunning(draft, turnId, ({ parts }) => ({ parts: withToolCall(parts, event.call) }));
    // Said a second time without the question: it was allowed and runs now.
    changeTurn(draft, turnId, (turn) => {
      const others = turn.needsApproval.filter((id) => id !== event.call.callId);
      return { needsApproval: event.needsApproval ? [...others, event.call.callId] : others };
    });
    return;
  }
  const { callId, outcome } = event;
  changeRunning(draft, turnId, ({ parts }) => ({ parts: withToolResult(parts, callId, outcome) }));
  changeTurn(draft, turnId, (turn) => ({ needsApproval: turn.needsApproval.filter((id) => id !== callId) }));
}

/** Which provider stands behind a model where that is what changed; where nothing changed only why is said. */
function reroutedWords({ from, to, why }: EventOf<"turn:rerouted">): string {
  const [before, after] = [from, to].map(({ model, displayName }) =>
    displayName === undefined ? model : `${model} (${displayName})`,
  );
  return before === after && from.provider === to.provider ? why : `${before} → ${after}: ${why}`;
}

function applyPassing(draft: Draft, { seq }: Logged, event: EventOf<"turn:rerouted" | "turn:continued">): void {
  const { turnId, why } = event;
  const text = event.type === "turn:rerouted" ? reroutedWords(event) : why;
  const kind = event.type === "turn:rerouted" ? "rerouted" : "continued";
  const next = {
    ...notice(seq, kind, text, turnId),
    ...(event.type === "turn:continued" ? partsWhenCut(draft, seq, event) : {}),
  };
  changeTurn(draft, turnId, (turn) => ({ state: "running", notices: withNotice(turn.notices, next) }));
  changeRunning(draft, turnId, () => ({ state: "streaming" }));
}

function deleteMessage(draft: Draft, messageId: string): void {
  const entry = draft.tree.get(messageId);
  if (entry) setEntry(draft, { message: { ...entry.message, parts: [] }, deleted: true });
}

/** Applies one event of the log to the draft; the caller has checked that it is the next one. */
export function applyEvent(draft: Draft, logged: Logged): void {
  const { seq, event } = logged;
  switch (event.type) {
    case "message:added":
      put(draft, event.message);
      draft.headId = event.message.id;
      return;
    case "message:updated":
      put(draft, event.message);
      return;
    case "message:deleted":
      deleteMessage(draft, event.messageId);
      return;
    case "head:moved":
      draft.headId = event.messageId;
      return;
    case "turn:started":
      startTurn(draft, logged, event);
      return;
    case "tool:requested":
    case "tool:completed":
      applyTool(draft, event);
      return;
    case "turn:rerouted":
    case "turn:continued":
      applyPassing(draft, logged, event);
      return;
    case "turn:completed":
    case "turn:interrupted":
      endTurn(draft, logged, event);
      return;
    case "turn:failed":
      failTurn(draft, logged, event);
      return;
    case "model:switched": {
      const text =
        event.model === null
          ? "Each message is routed again."
          : `Messages go to ${partsOfModelName(event.model).id} now.`;
      addNotice(draft, notice(seq, "model", text, null));
      return;
    }
    case "agent:switched": {
      const text = event.agent === null ? "No agent answers now." : `${event.agent.name} answers now.`;
      addNotice(draft, notice(seq, "agent", text, null));
      return;
    }
    case "checkpoint:created":
      addNotice(draft, notice(seq, "checkpoint", "Older messages were summed up.", null));
      return;
    case "title:changed":
      draft.title = event.title;
      return;
  }
}
