import { exports } from "cloudflare:workers";
import { v7 as newId } from "uuid";
import { expect, inject, vi } from "vitest";
import * as z from "zod";
import { SUBPROTOCOL } from "../../shared/contract/frames.ts";
import { TestSocket } from "../../shared/testing/worker/test-socket.ts";

/** `PUBLIC_URL` of the Worker under test. */
export const ORIGIN = "http://localhost:8787";
export const EVIL_ORIGIN = "https://evil.example";

/** What the Worker holds and must tell nobody. */
const SERVER_SECRETS = [
  "a secret for tests, long enough to be taken",
  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
  "test-key",
  inject("databaseAppUrl"),
  inject("databaseAuthUrl"),
  inject("databaseOwnerUrl"),
  ...[inject("databaseAppUrl"), inject("databaseAuthUrl"), inject("databaseOwnerUrl")].flatMap(
    (url) => new URL(url).password || [],
  ),
];

export interface Asked {
  method?: string;
  headers?: Record<string, string>;
  body?: unknown;
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  json: unknown;
  socket: WebSocket | null;
}

const worker = (exports as unknown as { default: Fetcher }).default;
/** Whose secret each text of this run is; a password is nobody's to be told. */
const accountSecrets = new Map<string, string | null>();
/** Everything that was answered, with the one account whose own tokens and keys may stand in it, and what was logged. */
const answered: { request: string; text: string; mayTell: string | null }[] = [];
const logged: string[] = [];
const sockets: TestSocket[] = [];
for (const level of ["log", "info", "warn", "error", "debug"] as const) {
  vi.spyOn(console, level).mockImplementation((...words) => void logged.push(words.map(inWords).join(" ")));
}

function inWords(value: unknown): string {
  if (value instanceof Error) return `${value.stack ?? value.message} ${inWords(value.cause ?? "")}`;
  return typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
}

function keepSecret(text: string, email: string | null): string {
  accountSecrets.set(text, email);
  return text;
}

/** A key such as people save here: never told again, to nobody. */
export const aSecret = (): string => keepSecret(`sk-canary-${newId()}`, null);

/** What somebody was shown once. */
export const keepToken = (token: string, { email }: { email: string }): string => keepSecret(token, email);

/** Where better-auth tells callers tokens and keys of their own, or sets the cookie anew. */
const TELLS_OWN = /^(?:\w+ \/api\/auth\/|POST \/api\/connectors$)/;
const WithEmail = z.object({ email: z.string() });

/** Whose tokens this answer may hold: those of whoever showed one, or signs in. */
function mayBeTold(request: string, { headers = {}, body }: Asked): string | null {
  if (!TELLS_OWN.test(request)) return null;
  const shown = Object.values(headers).join(" ");
  const owner = [...accountSecrets].find(([secret]) => shown.includes(secret))?.[1];
  return owner ?? WithEmail.safeParse(body).data?.email ?? null;
}

let addresses = 0;
/** An address nobody used before, so that rate limits of sign-in are no part of these tests. */
const freshAddress = (): string => `198.18.${Math.floor(++addresses / 250)}.${(addresses % 250) + 1}`;

/** The endless stream of a conversation ends for this reader once nothing came for a moment. */
async function readText(response: Response): Promise<string> {
  if (!response.headers.get("content-type")?.startsWith("text/event-stream") || !response.body) {
    return await response.text();
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const quiet = new Promise<null>((resolve) => setTimeout(() => resolve(null), 150));
    const read = await Promise.race([reader.read(), quiet]);
    if (read === null || read.done) break;
    text += read.value;
  }
  void reader.cancel();
  return text;
}

const asJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};

/** The Worker's own answer, before anything reads it. */
export async function fetchWorker(path: string, { method = "GET", headers = {}, body }: Asked = {}): Promise<Response> {
  return await worker.fetch(`${ORIGIN}${path}`, {
    method,
    headers: {
      "cf-connecting-ip": freshAddress(),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    redirect: "manual",
  });
}

/** One request through the real Worker. */
export async function ask(path: string, asked: Asked = {}): Promise<Answer> {
  const response = await fetchWorker(path, asked);
  const text = response.webSocket ? "" : await readText(response);
  const request = `${asked.method ?? "GET"} ${path}`;
  const head = [...response.headers].map((entry) => entry.join(": ")).join("\n");
  answered.push({ request, text: `${head}\n\n${text}`, mayTell: mayBeTold(request, asked) });
  expectGuarded(request, response);
  return {
    status: response.status,
    headers: response.headers,
    text: `${head}\n\n${text}`,
    json: asJson(text),
    socket: response.webSocket,
  };
}

/** No answer fails, and each carries the headers that keep browsers in line. */
function expectGuarded(request: string, response: Response): void {
  const { headers } = response;
  expect([request, response.status < 500 ? "no 5xx" : response.status]).toEqual([request, "no 5xx"]);
  if (response.status === 101) return;
  expect([request, headers.get("x-content-type-options"), headers.get("x-frame-options")]).toEqual([
    request,
    "nosniff",
    "DENY",
  ]);
  expect([request, headers.has("x-request-id"), headers.has("content-security-policy")]).toEqual([request, true, true]);
  expect([request, headers.get("referrer-policy"), headers.has("cache-control")]).toEqual([
    request,
    "no-referrer",
    true,
  ]);
}

/** The upgrade of a conversation's socket. */
export const upgrade = (
  conversationId: string,
  { headers = {}, ticket }: { headers?: Record<string, string>; ticket?: string } = {},
): Promise<Answer> =>
  ask(`/api/conversations/${conversationId}/socket${ticket === undefined ? "" : `?ticket=${ticket}`}`, {
    headers: { upgrade: "websocket", "sec-websocket-protocol": SUBPROTOCOL, ...headers },
  });

export async function connect(
  conversationId: string,
  how: { headers?: Record<string, string>; ticket?: string },
): Promise<TestSocket> {
  const answer = await upgrade(conversationId, how);
  if (!answer.socket) throw new Error(`no socket: ${answer.status} ${answer.text}`);
  const socket = new TestSocket(answer.socket);
  sockets.push(socket);
  return socket;
}

export interface Account {
  id: string;
  email: string;
  password: string;
  token: string;
  cookie: string;
  bearer: { authorization: string };
  personalWorkspaceId: string;
}

const SignedUp = z.object({ token: z.string(), user: z.object({ id: z.string() }) });
const Me = z.object({ defaultWorkspaceId: z.string() });

interface Session {
  id: string;
  token: string;
  cookie: string;
  bearer: { authorization: string };
}

function sessionIn(answer: Answer, email: string): Session {
  if (answer.status !== 200) throw new Error(`sign-in answered ${answer.status} ${answer.text}`);
  const { token, user } = SignedUp.parse(answer.json);
  keepSecret(token, email);
  const cookie = (answer.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
  return { id: user.id, token, cookie, bearer: { authorization: `Bearer ${token}` } };
}

/** A real account: signed up through the Worker, with its personal workspace. */
export async function anAccount(name: string): Promise<Account> {
  const email = `${name}-${newId()}@example.com`;
  const password = keepSecret(`password of ${newId()}`, null);
  const body = { email, password, name };
  const session = sessionIn(await ask("/api/auth/sign-up/email", { method: "POST", body }), email);
  const me = Me.parse((await ask("/api/me", { headers: session.bearer })).json);
  return { ...session, email, password, personalWorkspaceId: me.defaultWorkspaceId };
}

export async function anotherSession({ email, password }: Account): Promise<Session> {
  return sessionIn(await ask("/api/auth/sign-in/email", { method: "POST", body: { email, password } }), email);
}

const ApiKey = z.object({ id: z.string(), key: z.string() });

export async function anApiKey(account: Account): Promise<z.infer<typeof ApiKey>> {
  const asked = { method: "POST", body: { name: "laptop" }, headers: account.bearer };
  const made = ApiKey.parse((await ask("/api/auth/api-key/create", asked)).json);
  keepSecret(made.key, account.email);
  return made;
}

const Invitation = z.object({ id: z.string() });

/** Invites and accepts through better-auth's routes. */
export async function join(owner: Account, workspaceId: string, guest: Account, role: string): Promise<void> {
  const body = { organizationId: workspaceId, email: guest.email, role };
  const invited = await ask("/api/auth/organization/invite-member", { method: "POST", body, headers: owner.bearer });
  const invitationId = Invitation.parse(invited.json).id;
  const accept = { method: "POST", body: { invitationId }, headers: guest.bearer };
  const accepted = await ask("/api/auth/organization/accept-invitation", accept);
  expect([accepted.text, accepted.status]).toEqual([accepted.text, 200]);
}

export async function removeFrom(owner: Account, workspaceId: string, guest: Account): Promise<void> {
  const body = { organizationId: workspaceId, memberIdOrEmail: guest.email };
  const removed = await ask("/api/auth/organization/remove-member", { method: "POST", body, headers: owner.bearer });
  expect([removed.text, removed.status]).toEqual([removed.text, 200]);
}

export async function signOut(session: Pick<Session, "bearer">): Promise<void> {
  const out = await ask("/api/auth/sign-out", { method: "POST", body: {}, headers: session.bearer });
  expect(out.status).toBe(200);
}

/** Nothing that was answered or logged so far holds a secret of the Worker's or of anybody's. */
export function expectNoSecretTold(): void {
  expect(answered.length).toBeGreaterThan(0);
  const told = answered.filter(
    ({ text, mayTell }) =>
      SERVER_SECRETS.some((secret) => text.includes(secret)) ||
      [...accountSecrets].some(([secret, owner]) => (owner === null || owner !== mayTell) && text.includes(secret)),
  );
  expect(told.map(({ request }) => request)).toEqual([]);
  const secrets = [...SERVER_SECRETS, ...accountSecrets.keys()];
  const frames = sockets.flatMap((socket) => socket.frames.map((frame) => JSON.stringify(frame)));
  expect([...frames, ...logged].filter((line) => secrets.some((secret) => line.includes(secret)))).toEqual([]);
}
