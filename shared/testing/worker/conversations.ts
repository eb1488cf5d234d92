import { v7 as newId } from "uuid";
import { inject } from "vitest";
import { createConversationStore } from "../../adapters/postgres/conversation-store.ts";
import { createDatabase } from "../../adapters/postgres/database.ts";
import type { Conversation } from "../../contract/conversation.ts";
import type { Principal } from "../../domain/access/principal.ts";
import { unwrap } from "../../domain/app-error.ts";
import type { ConversationObject } from "../../ports/conversation-object.ts";
import type { Behaviour, FakeRequest } from "../providers/fake-model-server.ts";

/** A conversation of `owner`'s in their first workspace: its row, not yet its object. */
export async function aConversationRow(
  owner: Principal,
  overrides: { title?: string; model?: string } = {},
): Promise<Conversation> {
  const database = createDatabase({ connectionString: inject("databaseAppUrl"), endpoint: inject("databaseEndpoint") });
  return await createConversationStore(database).create(
    { userId: owner.userId },
    {
      id: newId(),
      workspaceId: owner.workspaces[0]?.id ?? newId(),
      title: overrides.title ?? "New conversation",
      model: overrides.model ?? null,
      agentId: null,
      personalityId: null,
      forkedFrom: null,
      at: new Date().toISOString(),
    },
  );
}

/** The same with its object born. */
export async function aConversation(
  owner: Principal,
  open: (id: string) => ConversationObject,
): Promise<{ id: string; object: ConversationObject }> {
  const row = await aConversationRow(owner);
  const object = open(row.id);
  unwrap(await object.create(owner, row, null));
  return { id: row.id, object };
}

/** Sets how the vendor answers the next requests. */
export async function modelBehaves(...behaviours: Behaviour[]): Promise<void> {
  await fetch(inject("modelControlUrl"), { method: "POST", body: JSON.stringify(behaviours) });
}

/** What the vendor was asked since the last `forget`. */
export async function modelWasAsked(): Promise<FakeRequest[]> {
  const response = await fetch(inject("modelControlUrl"));
  return await response.json();
}
