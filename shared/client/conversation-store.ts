import type { ConversationClient } from "./conversation-client.ts";
import { reduceAll } from "./view.ts";
import { emptyView, type View, type ViewAction } from "./view-state.ts";

export interface ConversationStore {
  /** The same object until something changed. */
  getView(): View;
  /** Called after a change; answers how to stop. Fits React's `useSyncExternalStore`. */
  subscribe(listener: () => void): () => void;
  /** Stops following the client. */
  close(): void;
}

const BATCH_MS = 16;
/** During a long replay nobody reads along: fewer, larger batches get to the end sooner. */
const LONG_REPLAY_EVENTS = 500;
const LONG_REPLAY_BATCH_MS = 200;

/** Keeps the view of a client. Actions that come within one frame are applied together. Make it before `start()`. */
export function createConversationStore(client: ConversationClient): ConversationStore {
  let view = emptyView;
  let waiting: ViewAction[] = [];
  let timer: ReturnType<typeof setTimeout> | null = null;
  const listeners = new Set<() => void>();
  const apply = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    const actions = waiting;
    waiting = [];
    view = reduceAll(view, actions);
    for (const listener of listeners) listener();
  };
  const unsubscribe = client.subscribe((action) => {
    waiting.push(action);
    const left = (view.welcomedAt ?? 0) - view.seq;
    timer ??= setTimeout(apply, left > LONG_REPLAY_EVENTS ? LONG_REPLAY_BATCH_MS : BATCH_MS);
  });
  return {
    getView: () => view,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => {
      unsubscribe();
      if (timer !== null) clearTimeout(timer);
    },
  };
}
