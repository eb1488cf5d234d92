/** People of a running stack, and what they say and hear over REST; every answer is kept. */
import * as z from "zod";
import { Provider } from "../../shared/contract/provider.ts";

const SignedUp = z.object({ token: z.string(), user: z.object({ id: z.string() }) });
const WithId = z.object({ id: z.string() });

export interface Heard {
  request: string;
  status: number;
  text: string;
}

export interface Person {
  id: string;
  email: string;
  /** @throws Error for an answer of 500 and above */
  ask(method: string, path: string, body?: object, headers?: Record<string, string>): Promise<Heard>;
  /** A conversation of theirs. */
  converse(body?: object): Promise<string>;
  /** Says something, and waits for the end of the turn. @returns every frame of it as text */
  say(conversationId: string, text: string, model?: string): Promise<string>;
  /** Connects a provider. @throws Error when it is refused */
  connect(body: object): Promise<Provider>;
}

export interface House {
  /** The first is the instance's admin. */
  person(name: string): Promise<Person>;
  /** Everything that anybody was told. */
  heard: Heard[];
}

export function houseAt(url: string): House {
  const heard: Heard[] = [];
  const send = async (method: string, path: string, headers: Record<string, string>, body?: object): Promise<Heard> => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { origin: url, ...(body ? { "content-type": "application/json" } : {}), ...headers },
      ...(body ? { body: JSON.stringify(body) } : {}),
      signal: AbortSignal.timeout(60_000),
    });
    const head = [...response.headers].map((entry) => entry.join(": ")).join("\n");
    const told = { request: `${method} ${path}`, status: response.status, text: await response.text() };
    heard.push({ ...told, text: `${head}\n\n${told.text}` });
    return told;
  };
  return { heard, person: (name) => signUp(name, send) };
}

type Send = (method: string, path: string, headers: Record<string, string>, body?: object) => Promise<Heard>;

async function signUp(name: string, send: Send): Promise<Person> {
  const account = { name, email: `${name}@example.com`, password: "a long enough password" };
  const { text } = await send("POST", "/api/auth/sign-up/email", {}, account);
  const { token, user } = SignedUp.parse(JSON.parse(text));
  const ask: Person["ask"] = async (method, path, body, headers = {}) => {
    const answer = await send(method, path, { authorization: `Bearer ${token}`, ...headers }, body);
    if (answer.status >= 500) throw new Error(`${answer.request}: ${answer.status} ${answer.text}`);
    return answer;
  };
  return {
    id: user.id,
    email: account.email,
    ask,
    converse: async (body = {}) => WithId.parse(JSON.parse((await ask("POST", "/api/conversations", body)).text)).id,
    say: async (conversationId, said, model) => {
      const body = { text: said, ...(model === undefined ? {} : { model }) };
      const stream = { accept: "text/event-stream" };
      return (await ask("POST", `/api/conversations/${conversationId}/messages`, body, stream)).text;
    },
    connect: async (body) => {
      const made = await ask("POST", "/api/providers", body);
      if (made.status !== 201) throw new Error(`${made.status} ${made.text}`);
      return Provider.parse(JSON.parse(made.text));
    },
  };
}

const Invitation = z.object({ id: z.string() });

/** Makes someone a member of another's workspace. */
export async function join(owner: Person, workspaceId: string, guest: Person): Promise<void> {
  const invitation = { organizationId: workspaceId, email: guest.email, role: "member" };
  const invited = await owner.ask("POST", "/api/auth/organization/invite-member", invitation);
  const invitationId = Invitation.parse(JSON.parse(invited.text)).id;
  await guest.ask("POST", "/api/auth/organization/accept-invitation", { invitationId });
}
