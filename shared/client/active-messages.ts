import type { Part } from "../contract/message.ts";
import type { MessageStatus, PendingSend, TreeEntry, Turn, View, ViewMessage } from "./view-state.ts";

function pathEntries(view: View): TreeEntry[] {
  const path: TreeEntry[] = [];
  const seen = new Set<string>();
  let next = view.headId;
  while (next !== null && !seen.has(next)) {
    seen.add(next);
    const entry = view.tree.get(next);
    if (!entry) break;
    path.push(entry);
    next = entry.message.parentId;
  }
  return path.reverse();
}

function questionOf({ message }: TreeEntry, view: View): string | null {
  if (message.role !== "assistant") return null;
  const { replyTo, turnId } = message.metadata;
  return replyTo ?? (turnId === undefined ? null : (view.turns.get(turnId)?.replyTo ?? null));
}

/**
 * Each answer directly behind its question: the log holds questions that were asked during an answer before the answers
 * that come later. Everything else stays in the order of the log.
 */
function inReadingOrder(path: TreeEntry[], view: View): TreeEntry[] {
  const groups: TreeEntry[][] = [];
  const groupOf = new Map<string, TreeEntry[]>();
  for (const entry of path) {
    const asked = groupOf.get(questionOf(entry, view) ?? "");
    const group = asked ?? [];
    if (!asked) groups.push(group);
    group.push(entry);
    groupOf.set(entry.message.id, group);
  }
  return groups.flat();
}

const place = ({ message }: TreeEntry): string => `${message.parentId ?? ""}/${message.role}`;

function siblingsByPlace(view: View): Map<string, string[]> {
  const bySeq = [...view.tree.values()].sort((a, b) => a.message.seq - b.message.seq);
  const places = new Map<string, string[]>();
  for (const entry of bySeq) {
    const key = place(entry);
    const known = places.get(key);
    if (known) known.push(entry.message.id);
    else places.set(key, [entry.message.id]);
  }
  return places;
}

/** The newest turn that answers each user message, or that it joined while the answer was being written. */
function turnsByQuestion(view: View): Map<string, Turn> {
  const turns = new Map<string, Turn>();
  for (const turn of view.turns.values()) {
    for (const id of view.tree.get(turn.messageId)?.message.metadata.steeredBy ?? []) turns.set(id, turn);
    if (turn.replyTo !== null) turns.set(turn.replyTo, turn);
  }
  return turns;
}

function questionStatus(turn: Turn | undefined): MessageStatus {
  if (turn?.state === "completed" || turn?.state === "stopped") return "answered";
  return turn?.state === "failed" ? "failed" : "saved";
}

const ANSWER_STATUS: Record<Turn["state"], MessageStatus> = {
  running: "streaming",
  interrupted: "interrupted",
  completed: "done",
  stopped: "stopped",
  failed: "failed",
};

const failureOf = (turn: Turn | null): string | null =>
  turn?.state === "failed" ? (turn.notices.findLast((notice) => notice.kind === "failed")?.text ?? null) : null;

function shown(entry: TreeEntry, view: View, asked: Turn | undefined, siblings: readonly string[]): ViewMessage {
  const { message, deleted } = entry;
  const turnId = message.metadata.turnId;
  const turn = turnId === undefined ? null : (view.turns.get(turnId) ?? null);
  const answered = turn ? ANSWER_STATUS[turn.state] : "done";
  const live = view.running?.messageId === message.id && !deleted ? view.running.parts : null;
  return {
    id: message.id,
    parentId: message.parentId,
    role: message.role,
    parts: live ?? message.parts,
    metadata: message.metadata,
    createdAt: message.createdAt,
    status: message.role === "user" ? questionStatus(asked) : answered,
    deleted,
    error: message.role === "user" ? null : failureOf(turn),
    kept: true,
    taken: view.taken.get(message.id) ?? null,
    turn,
    siblings,
  };
}

function shownPending(pending: PendingSend, parentId: string | null): ViewMessage {
  const { entry } = pending;
  const parts: Part[] = entry.parts ?? [{ type: "text", text: entry.text ?? "" }];
  return {
    id: pending.id,
    parentId,
    role: "user",
    parts,
    metadata: {},
    createdAt: entry.queuedAt,
    status: pending.state,
    deleted: false,
    error: pending.error,
    kept: pending.kept,
    taken: null,
    turn: null,
    siblings: [pending.id],
  };
}

const sameList = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((id, index) => id === b[index]);

/** The earlier object where nothing changed, so that a list re-renders only what did. */
function reused(before: ViewMessage | undefined, now: ViewMessage): ViewMessage {
  if (!before) return now;
  const same =
    before.parts === now.parts &&
    before.metadata === now.metadata &&
    before.status === now.status &&
    before.deleted === now.deleted &&
    before.error === now.error &&
    before.kept === now.kept &&
    before.taken === now.taken &&
    before.turn === now.turn &&
    before.parentId === now.parentId &&
    sameList(before.siblings, now.siblings);
  return same ? before : now;
}

/** The active path as it is read, then what is on its way; messages that did not change keep their identity. */
export function activeMessages(view: View, before: readonly ViewMessage[]): ViewMessage[] {
  const known = new Map(before.map((message) => [message.id, message]));
  const places = siblingsByPlace(view);
  const asked = turnsByQuestion(view);
  const path = inReadingOrder(pathEntries(view), view).map((entry) => {
    const { id } = entry.message;
    return reused(known.get(id), shown(entry, view, asked.get(id), places.get(place(entry)) ?? [id]));
  });
  const waiting = view.pending
    .filter((pending) => !view.tree.has(pending.id))
    .map((pending) => reused(known.get(pending.id), shownPending(pending, view.headId)));
  return [...path, ...waiting];
}

/** The cheap case of a delta: only the answer that is being written changed. */
export function withLiveAnswer(view: View): ViewMessage[] | null {
  const running = view.running;
  const at = running ? view.messages.findLastIndex((message) => message.id === running.messageId) : -1;
  const message = view.messages[at];
  return running && message ? view.messages.with(at, { ...message, parts: running.parts }) : null;
}
