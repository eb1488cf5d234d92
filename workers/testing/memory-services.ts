import type { Workspace, WorkspaceSettings } from "../../shared/contract/account.ts";
import type { Conversation } from "../../shared/contract/conversation.ts";
import { refuseBeyondLimit } from "../../shared/domain/access/call-limit.ts";
import { AppError } from "../../shared/domain/app-error.ts";
import type { AccountStore, IdempotencyStore } from "../../shared/ports/account-store.ts";
import type { CallLimits } from "../../shared/ports/call-limits.ts";
import type { ConversationStore } from "../../shared/ports/conversation-store.ts";
import type { Authentication, SignIn } from "../../shared/ports/sign-in.ts";
import { platformTimers } from "../../shared/ports/timers.ts";
import { readSettings } from "../../shared/runtime/env.ts";
import type { Services } from "../../shared/runtime/services.ts";
import { memoryProviders } from "./memory-providers.ts";

export interface Person {
  id: string;
  workspace: Workspace;
}

const person = (name: string, digit: string): Person => ({
  id: `${digit.repeat(8)}-0000-7000-8000-000000000001`,
  workspace: {
    id: `${digit.repeat(8)}-0000-7000-8000-000000000002`,
    name,
    slug: name,
    personal: true,
    role: "owner",
  },
});

export const PEOPLE = { alice: person("alice", "a"), bob: person("bob", "b") } as const;
export const PUBLIC_URL = "https://mosaic.test";
export const ALLOWED_ORIGIN = "https://friend.test";

const settings = readSettings({
  PUBLIC_URL,
  ALLOWED_ORIGINS: ALLOWED_ORIGIN,
  DATABASE_APP_URL: "unused",
  DATABASE_AUTH_URL: "unused",
  BETTER_AUTH_SECRET: "x".repeat(32),
  CREDENTIALS_KEYS: `k1:${btoa("m".repeat(32))}`,
});

type WorkspacesOf = (person: Person) => Workspace[];

function signedIn(name: string, via: "cookie" | "bearer" | "api-key", workspacesOf: WorkspacesOf): Authentication {
  if (name === "expired") return { state: "expired" };
  if (name !== "alice" && name !== "bob") return { state: "anonymous" };
  const { id } = PEOPLE[name];
  const workspaces = workspacesOf(PEOPLE[name]);
  return {
    state: "signed-in",
    user: { id, name: "Ålice 🎈", email: `${name}@mosaic.test`, emailVerified: true, image: null },
    workspaces,
    via,
    principal: {
      userId: id,
      name: "Ålice 🎈",
      credentialId: `${name}-credential`,
      credential: via === "api-key" ? "api-key" : "session",
      workspaces,
      isInstanceAdmin: false,
      expiresAt: "2999-01-01T00:00:00.000Z",
    },
  };
}

/** A sign-in that knows alice and bob by name, and `expired` as someone it knew once. */
export const signInAs = (workspacesOf: WorkspacesOf, deleted: string[] = []): SignIn => ({
  async authenticate(headers) {
    const bearer = /^Bearer (\w+)$/.exec(headers.get("authorization") ?? "")?.[1];
    if (bearer) return signedIn(bearer, "bearer", workspacesOf);
    const key = headers.get("x-api-key");
    if (key) return signedIn(key, "api-key", workspacesOf);
    const cookie = /session=(\w+)/.exec(headers.get("cookie") ?? "")?.[1];
    return cookie ? signedIn(cookie, "cookie", workspacesOf) : { state: "anonymous" };
  },
  prove: async () => null,
  recall: async () => null,
  renew: async () => null,
  handle: async (request) =>
    new Response(`sign-in ${new URL(request.url).pathname}`, {
      headers: [
        ["set-cookie", "session=alice; HttpOnly"],
        ["set-cookie", "cache=1"],
      ],
    }),
  deleteUser: async (principal) => {
    deleted.push(principal.userId);
  },
});

function memoryConversations(rows: Map<string, Conversation>): ConversationStore {
  const mine = (userId: string) => [...rows.values()].filter(({ ownerUserId }) => ownerUserId === userId);
  return {
    async create({ userId }, { at, ...row }) {
      const stored: Conversation = {
        ...row,
        ownerUserId: userId,
        visibility: "private",
        headId: null,
        version: 1,
        createdAt: at,
        updatedAt: at,
      };
      rows.set(row.id, stored);
      return stored;
    },
    async find({ userId }, id) {
      const conversation = mine(userId).find((row) => row.id === id);
      return conversation ? { conversation, lastSeq: 0 } : null;
    },
    async list({ userId }, { cursor, limit }) {
      if (cursor !== undefined && !/^\d+$/.test(cursor))
        throw new AppError("invalid_request", "`cursor`: is not one of ours");
      const from = Number(cursor ?? 0);
      const all = mine(userId);
      return {
        items: all.slice(from, from + limit),
        nextCursor: from + limit < all.length ? String(from + limit) : null,
      };
    },
    async update() {
      return null;
    },
    erase: async (_scope, id) => rows.delete(id),
    ownIds: async ({ userId }) => mine(userId).map(({ id }) => id),
    eraseOwn: async (_scope, id) => void rows.delete(id),
    events: async () => [],
  };
}

const defaults = (workspaceId: string): WorkspaceSettings => ({
  workspaceId,
  defaultProviderId: null,
  defaultModel: null,
  settings: {},
  version: 1,
});

function memoryAccounts(saved: Map<string, WorkspaceSettings>): AccountStore {
  const own = (userId: string, id: string) =>
    Object.values(PEOPLE).some((each) => each.id === userId && each.workspace.id === id);
  return {
    workspaces: async () => [],
    createWorkspace: async (_scope, name, id) => ({
      id,
      name,
      slug: "slug",
      personal: false,
      role: "owner",
    }),
    isInstanceAdmin: async () => false,
    settings: async ({ userId }, id) => (own(userId, id) ? (saved.get(id) ?? defaults(id)) : null),
    async updateSettings({ userId }, id, changes, ifVersion) {
      if (!own(userId, id)) return null;
      const old = saved.get(id) ?? defaults(id);
      if (ifVersion !== undefined && ifVersion !== old.version)
        throw new AppError("version_conflict", "It was changed.");
      const next = {
        ...old,
        defaultModel: changes.defaultModel ?? old.defaultModel,
        settings: changes.settings ?? old.settings,
        version: old.version + 1,
      };
      saved.set(id, next);
      return next;
    },
    recordAttachment: async () => "write",
    removeAttachment: async () => {},
    attachments: async () => [],
  };
}

/** Windows never end: the clock stands still. */
function memoryLimits(): CallLimits {
  const counts = new Map<string, number>();
  return {
    count: async (userId, work) => {
      const attempts = (counts.get(`${work} ${userId}`) ?? 0) + 1;
      counts.set(`${work} ${userId}`, attempts);
      refuseBeyondLimit(work, { attempts, secondsLeft: 60 });
    },
  };
}

function memoryIdempotency(): IdempotencyStore {
  const claims = new Map<string, { fingerprint: string; done?: { status: number; body: unknown } }>();
  return {
    async begin({ userId }, key, fingerprint) {
      const claim = claims.get(userId + key);
      if (!claim) {
        claims.set(userId + key, { fingerprint });
        return { state: "new" };
      }
      if (claim.fingerprint !== fingerprint) return { state: "different" };
      return claim.done ? { state: "done", ...claim.done } : { state: "running" };
    },
    async finish({ userId }, key, status, body) {
      const claim = claims.get(userId + key);
      if (claim) claim.done = { status, body };
    },
    abandon: async ({ userId }, key) => void claims.delete(userId + key),
  };
}

/** The stores behind the edge, in memory; what stands beside `services` is there for looking. */
export function memoryServices() {
  const { services: providers, stored, ended, forgotten } = memoryProviders();
  const rows = new Map<string, Conversation>();
  const deletedUsers: string[] = [];
  const services: Services = {
    settings,
    signIn: signInAs(({ workspace }) => [workspace], deletedUsers),
    conversations: memoryConversations(rows),
    events: { drain: async () => ({ ok: true }) },
    jobs: {
      report: async () => true,
      list: async () => ({ items: [], nextCursor: null }),
      find: async () => null,
      settle: async () => null,
    },
    embedder: { embed: async () => Promise.reject(new AppError("provider_unavailable", "Nothing embeds here.")) },
    configuration: {
      read: async () => ({
        workspace: { defaultModel: null, defaultProviderId: null, settings: {} },
        providers: [],
        status: [],
        catalogue: [],
      }),
    },
    accounts: memoryAccounts(new Map()),
    idempotency: memoryIdempotency(),
    limits: memoryLimits(),
    maintenance: { sweepExpired: async () => ({ rows: 0, more: false }) },
    ...providers,
    background: () => {},
    tools: { definitions: () => [], call: async () => ({ isError: true, output: "There are no tools here." }) },
    checkDatabase: async () => ({ ok: true, detail: "reachable" }),
    newId: () => crypto.randomUUID(),
    now: () => new Date(0),
    timers: platformTimers,
    random: () => 0.5,
  };
  return { services, rows, deletedUsers, stored, ended, forgotten };
}
