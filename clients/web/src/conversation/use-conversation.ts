import { useEffect, useState, useSyncExternalStore } from "react";
import {
  accessOf,
  type ConversationClient,
  createConversationClient,
} from "../../../../shared/client/conversation-client.ts";
import { type ConversationStore, createConversationStore } from "../../../../shared/client/conversation-store.ts";
import { emptyView, type View } from "../../../../shared/client/view-state.ts";
import { api } from "../app/api.ts";
import { pageOutbox, pageStorage } from "./page-outbox.ts";

interface Attached {
  client: ConversationClient;
  store: ConversationStore;
}

const nothing = () => () => undefined;

/** Attaches to a conversation for as long as the component lives. `client` is null until it has. */
export function useConversation(
  userId: string,
  conversationId: string,
): { view: View; client: ConversationClient | null } {
  const [attached, setAttached] = useState<Attached | null>(null);
  useEffect(() => {
    const client = createConversationClient({
      url: location.origin,
      conversationId,
      client: { name: "mosaic-web", version: "1", kind: "web" },
      storage: pageOutbox(pageStorage, userId, conversationId),
      checkAccess: accessOf(() => api.conversations.get(conversationId)),
    });
    const store = createConversationStore(client);
    setAttached({ client, store });
    void client.start();
    const wake = () => document.visibilityState === "visible" && client.wake();
    addEventListener("online", wake);
    document.addEventListener("visibilitychange", wake);
    return () => {
      removeEventListener("online", wake);
      document.removeEventListener("visibilitychange", wake);
      client.stop();
      store.close();
      setAttached(null);
    };
  }, [userId, conversationId]);
  const view = useSyncExternalStore(attached?.store.subscribe ?? nothing, attached?.store.getView ?? (() => emptyView));
  return { view, client: attached?.client ?? null };
}
