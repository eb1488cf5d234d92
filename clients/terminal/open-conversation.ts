import type { ApiClient } from "../../shared/client/api-client.ts";
import { ApiError } from "../../shared/client/api-error.ts";
import {
  accessOf,
  type ConversationClient,
  createConversationClient,
} from "../../shared/client/conversation-client.ts";
import type { OutboxStorage } from "../../shared/client/outbox.ts";
import type { ConversationChoice } from "./parse-arguments.ts";
import { VERSION } from "./version.ts";

export interface Server {
  url: string;
  token: string;
  api: ApiClient;
}

/** The id of the conversation that was asked for; a new one is made where none was. */
export async function chooseConversation(
  api: ApiClient,
  choice: ConversationChoice,
  model: string | undefined,
): Promise<string> {
  if (choice.kind === "id") return (await api.conversations.get(choice.id)).id;
  if (choice.kind === "latest") {
    const latest = (await api.conversations.list({ limit: 1 })).items[0];
    if (!latest) {
      throw new ApiError({
        code: "not_found",
        message: "There is no conversation to go on with; start one with `npx mosaic`.",
      });
    }
    return latest.id;
  }
  return (await api.conversations.create(model === undefined ? {} : { model })).id;
}

/** `since` as in ConversationClientOptions: 0 replays everything, null nothing. */
export function openConversation(
  server: Server,
  conversationId: string,
  storage: OutboxStorage,
  since: number | null,
): ConversationClient {
  return createConversationClient({
    url: server.url,
    conversationId,
    auth: { token: server.token },
    client: { name: "mosaic", version: VERSION, kind: "tui" },
    storage,
    since,
    checkAccess: accessOf(() => server.api.conversations.get(conversationId)),
  });
}
