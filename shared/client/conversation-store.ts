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
    timer ??= setTimeout(apply, BATCH_MS);
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
