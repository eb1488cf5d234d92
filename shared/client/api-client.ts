import type * as z from "zod";
import { Me, SignInOptions, type UpdateWorkspaceSettings, Workspace, WorkspaceSettings } from "../contract/account.ts";
import {
  Conversation,
  ConversationContext,
  ConversationExport,
  type CreateConversation,
  type EditMessage,
  type ListConversations,
  type ListMessages,
  SendAccepted,
  type SendMessage,
  Ticket,
  type UpdateConversation,
} from "../contract/conversation.ts";
import { Message } from "../contract/message.ts";
import { pageOf } from "../contract/primitives.ts";
import { createRequest, type HttpOptions, parseJson, type RequestText } from "./http.ts";
import { connectorCalls, modelCalls, providerCalls } from "./provider-calls.ts";

const Conversations = pageOf(Conversation);
const Messages = pageOf(Message);
const Workspaces = pageOf(Workspace);

const segment = (id: string): string => encodeURIComponent(id);
const path = (id: string, rest = ""): string => `/api/conversations/${segment(id)}${rest}`;
const ifMatch = (version: number | undefined): Record<string, string> =>
  version === undefined ? {} : { "if-match": `"${version}"` };

interface Versioned {
  /** Refuses with `version_conflict` when the conversation is not at this version any more. */
  ifVersion?: number;
}

function conversationCalls(request: RequestText) {
  return {
    create: async (body: z.input<typeof CreateConversation> = {}) =>
      parseJson(Conversation, await request("POST", "/api/conversations", { body })),
    list: async (query: z.input<typeof ListConversations> & { limit?: number } = {}) =>
      parseJson(Conversations, await request("GET", "/api/conversations", { query })),
    get: async (id: string) => parseJson(Conversation, await request("GET", path(id))),
    update: async (id: string, body: z.input<typeof UpdateConversation>, { ifVersion }: Versioned = {}) =>
      parseJson(Conversation, await request("PATCH", path(id), { body, headers: ifMatch(ifVersion) })),
    remove: async (id: string, { ifVersion }: Versioned = {}): Promise<void> => {
      await request("DELETE", path(id), { headers: ifMatch(ifVersion) });
    },
    stop: async (id: string, turnId?: string): Promise<void> => {
      await request("POST", path(id, "/stop"), { body: turnId === undefined ? {} : { turnId } });
    },
    fork: async (id: string, messageId: string) =>
      parseJson(Conversation, await request("POST", path(id, "/fork"), { body: { messageId } })),
    exportJson: async (id: string) =>
      parseJson(ConversationExport, await request("GET", path(id, "/export"), { query: { format: "json" } })),
    exportMarkdown: (id: string): Promise<string> =>
      request("GET", path(id, "/export"), { query: { format: "markdown" }, headers: { accept: "text/markdown" } }),
    importJson: async (body: ConversationExport) =>
      parseJson(Conversation, await request("POST", "/api/conversations/import", { body })),
    context: async (id: string) => parseJson(ConversationContext, await request("GET", path(id, "/context"))),
    ticket: async (id: string) => parseJson(Ticket, await request("POST", path(id, "/tickets"))),
  };
}

function messageCalls(request: RequestText) {
  return {
    list: async (conversationId: string, query: Partial<ListMessages> & { cursor?: string } = {}) =>
      parseJson(Messages, await request("GET", path(conversationId, "/messages"), { query })),
    /** Sending again with the same `id` stores the message once. */
    send: async (conversationId: string, body: z.input<typeof SendMessage>) =>
      parseJson(SendAccepted, await request("POST", path(conversationId, "/messages"), { body })),
    /** Adds a sibling with the new content; answers it. */
    edit: async (conversationId: string, messageId: string, body: z.input<typeof EditMessage>) =>
      parseJson(Message, await request("PATCH", path(conversationId, `/messages/${segment(messageId)}`), { body })),
    remove: async (conversationId: string, messageId: string): Promise<void> => {
      await request("DELETE", path(conversationId, `/messages/${segment(messageId)}`));
    },
  };
}

function workspaceCalls(request: RequestText) {
  const settings = (id: string) => `/api/workspaces/${segment(id)}/settings`;
  return {
    list: async () => parseJson(Workspaces, await request("GET", "/api/workspaces")),
    create: async (name: string) => parseJson(Workspace, await request("POST", "/api/workspaces", { body: { name } })),
    settings: async (id: string) => parseJson(WorkspaceSettings, await request("GET", settings(id))),
    updateSettings: async (id: string, body: UpdateWorkspaceSettings, { ifVersion }: Versioned = {}) =>
      parseJson(WorkspaceSettings, await request("PATCH", settings(id), { body, headers: ifMatch(ifVersion) })),
  };
}

/** Typed calls of `/api`. Every call throws ApiError and nothing else. Lists answer `{items, nextCursor}`. */
export function createApiClient(options: HttpOptions) {
  const request = createRequest(options);
  return {
    /** Needs no sign-in. */
    signInOptions: async () => parseJson(SignInOptions, await request("GET", "/api/sign-in-options")),
    /** Deletes the account with everything it owns. */
    deleteMe: async (): Promise<void> => {
      await request("DELETE", "/api/me");
    },
    me: async () => parseJson(Me, await request("GET", "/api/me")),
    conversations: conversationCalls(request),
    messages: messageCalls(request),
    workspaces: workspaceCalls(request),
    providers: providerCalls(request),
    models: modelCalls(request),
    connectors: connectorCalls(request),
  };
}
export type ApiClient = ReturnType<typeof createApiClient>;
