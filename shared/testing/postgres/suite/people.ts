import { v7 } from "uuid";
import { createAccountStore } from "../../../adapters/postgres/account-store.ts";
import { createConversationStore } from "../../../adapters/postgres/conversation-store.ts";
import { connect, createDatabase, type Database } from "../../../adapters/postgres/database.ts";
import type { Conversation, Visibility } from "../../../contract/conversation.ts";
import type { LoggedEvent } from "../../../contract/events.ts";
import type { Message } from "../../../contract/message.ts";
import type { Receipt } from "../../../contract/receipt.ts";
import type { Scope } from "../../../ports/conversation-store.ts";
import type { TestDatabase } from "../test-database.ts";

export interface Rooms {
  app: Database;
  auth: Database;
  /** The owner's bare driver: sees past row-level security where the owner may. */
  owner: ReturnType<typeof connect>;
  /** `app_user`'s bare driver, with no scope set. */
  bare: ReturnType<typeof connect>;
  bareAuth: ReturnType<typeof connect>;
}

export function openRooms({ appUrl, authUrl, ownerUrl, endpoint }: TestDatabase): Rooms {
  return {
    app: createDatabase({ connectionString: appUrl, endpoint }),
    auth: createDatabase({ connectionString: authUrl, endpoint }),
    owner: connect({ connectionString: ownerUrl, endpoint }),
    bare: connect({ connectionString: appUrl, endpoint }),
    bareAuth: connect({ connectionString: authUrl, endpoint }),
  };
}

export interface Person extends Scope {
  userId: string;
  name: string;
  personalWorkspaceId: string;
}

/** An account with its personal workspace. */
export async function makePerson(rooms: Rooms, name: string): Promise<Person> {
  const userId = v7();
  await rooms.owner.query(`insert into auth."user" (id, name, email) values ($1, $2, $3)`, [
    userId,
    name,
    `${userId}@example.com`,
  ]);
  const workspaces = await createAccountStore(rooms).workspaces({ id: userId, name });
  const personal = workspaces[0];
  if (!personal) throw new Error("no personal workspace was made");
  return { userId, name, personalWorkspaceId: personal.id };
}

/** A session of this person's. @returns its id */
export async function signIn(rooms: Rooms, person: Scope): Promise<string> {
  const id = v7();
  await rooms.owner.query(
    "insert into auth.session (id, token, user_id, expires_at) values ($1, $2, $3, now() + interval '1 day')",
    [id, v7(), person.userId],
  );
  return id;
}

export async function signOut(rooms: Rooms, sessionId: string): Promise<void> {
  await rooms.owner.query("delete from auth.session where id = $1", [sessionId]);
}

export async function join(rooms: Rooms, person: Scope, workspaceId: string, role: string): Promise<void> {
  await rooms.owner.query(
    `insert into auth.member (id, organization_id, user_id, role) values ($1, $2, $3, $4)
     on conflict (organization_id, user_id) do update set role = excluded.role`,
    [v7(), workspaceId, person.userId, role],
  );
}

export async function leave(rooms: Rooms, person: Scope, workspaceId: string): Promise<void> {
  await rooms.owner.query("delete from auth.member where organization_id = $1 and user_id = $2", [
    workspaceId,
    person.userId,
  ]);
}

export async function makeConversation(
  rooms: Rooms,
  person: Scope,
  workspaceId: string,
  more: { visibility?: Visibility; title?: string; at?: string } = {},
): Promise<Conversation> {
  const store = createConversationStore(rooms.app);
  const made = await store.create(person, {
    id: v7(),
    workspaceId,
    title: more.title ?? "A talk",
    model: null,
    agentId: null,
    personalityId: null,
    forkedFrom: null,
    at: more.at ?? "2026-01-02T03:04:05.678Z",
  });
  if (more.visibility !== "workspace") return made;
  const shared = await store.update(person, made.id, { visibility: "workspace" });
  if (!shared) throw new Error("the conversation could not be shared");
  return shared;
}

export const at = (seconds: number): string => new Date(Date.UTC(2026, 0, 2, 3, 4, seconds)).toISOString();

export function userMessage(seq: number, text: string, more: Partial<Message> = {}): Message {
  return {
    id: v7(),
    seq,
    updatedSeq: seq,
    parentId: null,
    role: "user",
    parts: [{ type: "text", text }],
    metadata: {},
    createdAt: at(seq),
    ...more,
  };
}

export const added = (message: Message): LoggedEvent => ({
  seq: message.seq,
  at: at(message.seq),
  event: { type: "message:added", message },
});

export function makeReceipt(): Receipt {
  return {
    id: v7(),
    classification: {
      taskType: "conversation",
      complexity: "simple",
      domain: "general",
      requiredCapabilities: [],
      confidence: { taskType: 0, complexity: 0, domain: 0 },
    },
    chosen: { providerId: "guide", provider: "guide", model: "guide" },
    pinned: false,
    rule: null,
    reason: "Nothing else is configured.",
    rejected: [],
    predicted: { inputTokens: 1, outputTokens: 1, microUsd: 0 },
    alternatives: [],
    sticky: null,
    configuration: "fresh",
  };
}
