import { v7 as newId } from "uuid";
import { expect, vi } from "vitest";
import * as z from "zod";
import { ownerSql } from "../../shared/testing/worker/people.ts";
import { type Account, anAccount, aSecret, ask, keepToken } from "./real-house.ts";

/** A conversation whose every word carries a marker that nobody else may ever read. */
export interface Marked {
  id: string;
  marker: string;
  messageId: string;
  turnId: string;
  workspaceId: string;
  /** A provider: the victim's own, or where the conversation is shared the team's. */
  providerId: string;
  /** A machine of whoever the conversation is of. */
  connectorId: string;
}

export interface Victim {
  account: Account;
  teamId: string;
  /** Stands in the team's name and settings. */
  teamMarker: string;
  /** Stands in the settings of the personal workspace. */
  personalMarker: string;
  /** The name of the victim's own provider. Whoever reads an answer may read what answered. */
  providerMarker: string;
  /** A login of the victim's that has begun. */
  loginId: string;
  personal: Marked;
  privateInTeam: Marked;
  shared: Marked;
  /** Used by the victim for a conversation of theirs. */
  idempotencyKey: string;
  /** Of the victim's list of conversations. */
  cursor: string;
}

const WithId = z.object({ id: z.string() });
const Sent = z.object({ messageId: z.string(), turnId: z.string() });
const Listed = z.object({ items: z.array(WithId), nextCursor: z.string() });
const Exported = z.object({ exportedAt: z.string(), events: z.array(z.object({ event: z.looseObject({}) })) });

const Made = z.object({ id: z.string(), token: z.string() });
/** For conversations that nobody tries providers or machines with. */
const NOTHING_BESIDE: Beside = {
  providerId: "00000000-0000-7000-8000-0000000000aa",
  connectorId: "00000000-0000-7000-8000-0000000000bb",
};

const newMarker = () => `marker-${newId()}`;

/** A machine of this name; its token is nobody's to be told again. */
export async function aConnector(account: Account, name: string): Promise<string> {
  const made = await ask("/api/connectors", { method: "POST", body: { name }, headers: account.bearer });
  const { id, token } = Made.parse(made.json);
  keepToken(token, account);
  return id;
}

/** A provider with a key that nobody may ever read, their own or a workspace's. */
export async function aProvider(account: Account, displayName: string, workspaceId?: string): Promise<string> {
  const credential = { apiKey: aSecret() };
  const scope = workspaceId === undefined ? { scope: "user" } : { scope: "workspace", workspaceId };
  const body = { kind: "anthropic", displayName, credential, ...scope };
  const made = await ask("/api/providers", { method: "POST", body, headers: account.bearer });
  expect([made.text, made.status]).toEqual([made.text, 201]);
  return WithId.parse(made.json).id;
}

/** What goes with a conversation when somebody else is to try for it. */
type Beside = Pick<Marked, "providerId" | "connectorId">;

export async function aConversation(
  account: Account,
  workspaceId: string,
  marker: string,
  beside: Beside = NOTHING_BESIDE,
  headers: Record<string, string> = {},
): Promise<Marked> {
  const post = (path: string, body: object, more = {}) =>
    ask(path, { method: "POST", body, headers: { ...account.bearer, ...more } });
  const created = await post("/api/conversations", { title: marker, workspaceId }, headers);
  const { id } = WithId.parse(created.json);
  const sent = Sent.parse((await post(`/api/conversations/${id}/messages`, { text: marker })).json);
  return { id, marker, workspaceId, messageId: sent.messageId, turnId: sent.turnId, ...beside };
}

/** Everything a person may have here, each piece with its marker, written down in Postgres. */
export async function aVictim(): Promise<Victim> {
  const account = await anAccount("alice");
  const [teamMarker, personalMarker, idempotencyKey] = [newMarker(), newMarker(), newMarker()];
  const change = (path: string, body: object) => ask(path, { method: "PATCH", body, headers: account.bearer });
  const team = await ask("/api/workspaces", {
    method: "POST",
    body: { name: teamMarker },
    headers: { ...account.bearer, "idempotency-key": idempotencyKey },
  });
  const teamId = WithId.parse(team.json).id;
  const [own, providerMarker] = [newMarker(), newMarker()];
  const connectorId = await aConnector(account, own);
  const beside = { providerId: await aProvider(account, providerMarker), connectorId };
  const login = await ask("/api/providers/openrouter/login", { method: "POST", body: {}, headers: account.bearer });
  const { loginId } = z.object({ loginId: z.string() }).parse(login.json);
  const besideTeam = { providerId: await aProvider(account, teamMarker, teamId), connectorId };
  const [personal, privateInTeam, shared] = await Promise.all([
    aConversation(account, account.personalWorkspaceId, own, beside, { "idempotency-key": idempotencyKey }),
    aConversation(account, teamId, newMarker(), beside),
    aConversation(account, teamId, newMarker(), besideTeam),
  ]);
  await change(`/api/conversations/${shared.id}`, { visibility: "workspace" });
  await change(`/api/workspaces/${teamId}/settings`, { settings: { note: teamMarker } });
  await change(`/api/workspaces/${account.personalWorkspaceId}/settings`, { settings: { note: personalMarker } });
  const listed = await ask("/api/conversations?limit=1", { headers: account.bearer });
  const cursor = Listed.parse(listed.json).nextCursor;
  const victim = {
    account,
    teamId,
    teamMarker,
    personalMarker,
    providerMarker,
    loginId,
    personal,
    privateInTeam,
    shared,
    idempotencyKey,
    cursor,
  };
  await Promise.all([personal, privateInTeam, shared].map((each) => settled(account, each)));
  return victim;
}

async function exportOf(account: Account, conversationId: string): Promise<z.infer<typeof Exported>> {
  const answer = await ask(`/api/conversations/${conversationId}/export`, { headers: account.bearer });
  return Exported.parse(answer.json);
}

/** Waits until a conversation is answered and all of it has reached Postgres. */
export async function settled(account: Account, { id }: Pick<Marked, "id">): Promise<void> {
  await vi.waitFor(
    async () => {
      const { events } = await exportOf(account, id);
      const rows = await ownerSql()`select last_seq from conversations where id = ${id}`;
      const ended = events.some(({ event }) => event.type === "turn:completed");
      expect([ended, Number(rows[0]?.last_seq)]).toEqual([true, events.length]);
    },
    { timeout: 15_000, interval: 100 },
  );
}

/**
 * Where someone is attached, and how a provider fares, comes and goes with its use: no part of what they have. What
 * models there are is nobody's.
 */
const TENANT_TABLES = `select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'
  and relname not in ('session_attachments', 'provider_status', 'catalogue_models')`;

/** The columns by which a row can be someone's. */
const OWNED_BY = ["owner_user_id", "workspace_id"] as const;

/** All that the victim has, as text: every row of every tenant table, their sign-in rows, every object's whole log. */
export async function everythingOf(victim: Victim): Promise<Record<string, string>> {
  const sql = ownerSql();
  const { account, teamId } = victim;
  const world: Record<string, string> = {};
  for (const { relname } of await sql.query(TENANT_TABLES)) {
    const columns = await sql.query("select column_name from information_schema.columns where table_name = $1", [
      relname,
    ]);
    const names = columns.map(({ column_name }) => String(column_name));
    const owned = OWNED_BY.filter((name) => names.includes(name));
    expect([relname, owned.length > 0 ? "has a tenant" : "has none"]).toEqual([relname, "has a tenant"]);
    const mine = owned.map((name) => `${name} = any($1::uuid[])`).join(" or ");
    const text = `select t::text as line from ${relname} t where ${mine} order by 1`;
    const rows = await sql.query(text, [[account.id, teamId, account.personalWorkspaceId]]);
    world[String(relname)] = JSON.stringify(rows);
  }
  const signIn = {
    user: `select t::text from auth."user" t where id = $1`,
    account: "select t::text from auth.account t where user_id = $1",
    member: "select t::text from auth.member t where user_id = $1 order by 1",
    sessions: "select id, user_id, token from auth.session where user_id = $1 order by 1",
    keys: "select id, reference_id, name, enabled, key from auth.api_key where reference_id = $1 order by 1",
    organizations:
      "select o::text from auth.organization o join auth.member m on m.organization_id = o.id where m.user_id = $1 order by 1",
    invitations: "select id, email, role, status from auth.invitation where inviter_id = $1 order by 1",
  };
  for (const [name, text] of Object.entries(signIn))
    world[`auth.${name}`] = JSON.stringify(await sql.query(text, [account.id]));
  for (const { id } of [victim.personal, victim.privateInTeam, victim.shared]) {
    const { exportedAt: _, ...rest } = await exportOf(account, id);
    const whole = await ask(`/api/conversations/${id}/messages?branches=all`, { headers: account.bearer });
    world[`object ${id}`] = JSON.stringify([rest, whole.json]);
  }
  return world;
}
