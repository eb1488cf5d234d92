import { createAccountStore } from "../../adapters/postgres/account-store.ts";
import { connect, createDatabase } from "../../adapters/postgres/database.ts";
import { createSignInDatabase } from "../../adapters/postgres/sign-in-database.ts";
import { createSignIn, type SignInOptions, type SignInSettings } from "../../adapters/sign-in/sign-in.ts";
import type { Mail } from "../../ports/mailer.ts";
import type { SignIn } from "../../ports/sign-in.ts";
import type { TestDatabase } from "../postgres/test-database.ts";

export const ORIGIN = "http://mosaic.test";
export const PASSWORD = "correct horse battery";

export interface Heard {
  revoked: { credentialId: string; userId: string }[];
  membershipChanged: { userId: string; workspaceId: string }[];
}

export interface SignInHouse {
  signIn: SignIn;
  mails: Mail[];
  heard: Heard;
  /** Asks `/api/auth` + path from an address of its own, unless a header says otherwise. */
  ask(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Signs up and returns the bearer session. */
  newcomer(email: string, headers?: Record<string, string>): Promise<Newcomer>;
  /** Rows of a query sent as the owner of the database. */
  rows(query: string, parameters?: unknown[]): Promise<Record<string, unknown>[]>;
  /** Waits for the work that was put into the background. */
  settled(): Promise<void>;
}

export interface Answer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

export interface Newcomer {
  id: string;
  token: string;
  cookie: string;
  bearer: Record<string, string>;
}

const defaults: SignInSettings = {
  PUBLIC_URL: ORIGIN,
  ALLOWED_ORIGINS: [],
  BETTER_AUTH_SECRET: "0123456789abcdef0123456789abcdef",
  SIGN_UP: "open",
  OIDC_NAME: "Single sign-on",
};

let addresses = 0;
/** An address nobody used before, so that one test's rate limits are not another's. */
export const freshAddress = (): string => {
  addresses += 1;
  return `198.51.${Math.floor(addresses / 250)}.${(addresses % 250) + 1}`;
};

/** The real sign-in system on a real database; only mail and the house's ears are collected here. */
export function startSignIn(
  database: TestDatabase,
  settings: Partial<SignInSettings> = {},
  more: Partial<SignInOptions> = {},
): SignInHouse {
  const mails: Mail[] = [];
  const heard: Heard = { revoked: [], membershipChanged: [] };
  const background: Promise<unknown>[] = [];
  const { endpoint, appUrl, authUrl, ownerUrl } = database;
  const app = createDatabase({ connectionString: appUrl, endpoint });
  const auth = createDatabase({ connectionString: authUrl, endpoint });
  const signIn = createSignIn({
    database: createSignInDatabase({ connectionString: authUrl, endpoint }),
    settings: { ...defaults, ...settings },
    mailer: { send: async (mail) => void mails.push(mail) },
    accounts: createAccountStore({ app, auth }),
    events: {
      revoked: async (what) => void heard.revoked.push(what),
      membershipChanged: async (what) => void heard.membershipChanged.push(what),
    },
    runInBackground: (work) => void background.push(work),
    ...more,
  });
  const ask: SignInHouse["ask"] = async (path, body, headers = {}) => {
    const request = new Request(`${settings.PUBLIC_URL ?? ORIGIN}/api/auth${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { "x-forwarded-for": freshAddress(), "content-type": "application/json", ...headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const response = await signIn.handle(request);
    const words = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: words.startsWith("{") || words.startsWith("[") ? JSON.parse(words) : { words },
    };
  };
  return {
    signIn,
    mails,
    heard,
    ask,
    newcomer: async (email, headers) => {
      const answer = await ask("/sign-up/email", { email, password: PASSWORD, name: email.split("@")[0] }, headers);
      if (answer.status !== 200) throw new Error(`sign-up answered ${answer.status} ${JSON.stringify(answer.body)}`);
      const { token, user } = answer.body as { token: string; user: { id: string } };
      const cookie = (answer.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
      return { id: user.id, token, cookie, bearer: { authorization: `Bearer ${token}` } };
    },
    rows: async (query, parameters = []) =>
      await connect({ connectionString: ownerUrl, endpoint }).query(query, parameters),
    settled: async () => void (await Promise.all(background.splice(0))),
  };
}
