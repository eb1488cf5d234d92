import type { Notice, TreeEntry, Turn, View } from "./view-state.ts";

/** A view while a batch of actions is applied: its maps are copied once per batch and only where written. */
export interface Draft extends View {
  writableTree: Map<string, TreeEntry> | null;
  writableTurns: Map<string, Turn> | null;
}

const MAX_NOTICES = 20;

export const draftOf = (view: View): Draft => ({ ...view, writableTree: null, writableTurns: null });

export function viewOf(draft: Draft): View {
  const { writableTree: _tree, writableTurns: _turns, ...view } = draft;
  return view;
}

export function setEntry(draft: Draft, entry: TreeEntry): void {
  draft.writableTree ??= new Map(draft.tree);
  draft.writableTree.set(entry.message.id, entry);
  draft.tree = draft.writableTree;
}

export function setTurn(draft: Draft, turn: Turn): void {
  draft.writableTurns ??= new Map(draft.turns);
  draft.writableTurns.set(turn.id, turn);
  draft.turns = draft.writableTurns;
}

export function addNotice(draft: Draft, notice: Notice): void {
  if (draft.notices.some((known) => known.key === notice.key)) return;
  draft.notices = [...draft.notices, notice].slice(-MAX_NOTICES);
}
