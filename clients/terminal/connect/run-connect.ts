import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { ApiError } from "../../../shared/client/api-error.ts";
import { reconnectDelayMs } from "../../../shared/client/clock.ts";
import { connectorCredential, readConnectorCredential } from "../../../shared/contract/connector-credentials.ts";
import type { ErrorCode } from "../../../shared/contract/errors.ts";
import { CLOSE } from "../../../shared/contract/frames.ts";
import { deviceLogin } from "../device-login.ts";
import { credentialFile } from "../local-files.ts";
import type { Invocation } from "../parse-arguments.ts";
import { plainLine } from "../plain-text.ts";
import { signedIn } from "../signed-in.ts";
import { VERSION } from "../version.ts";
import { askUpstream } from "./ask-upstream.ts";
import { type ConnectorFileBook, connectorFile, type Enrolment, type Wish } from "./connector-file.ts";
import { dial, type Ended } from "./dial.ts";
import { CONNECT_HELP, type ConnectCommand } from "./parse-connect.ts";

type Environment = Record<string, string | undefined>;
type Say = (line: string) => void;

interface Connecting {
  url: string;
  file: ConnectorFileBook;
  /** What was given to sign in with. */
  token: string | undefined;
  env: Environment;
  say: Say;
}

/** What is shown at the door: the lasting secret, or something worth enrolling for. */
interface Pass {
  bearer: string;
  name: string;
  /** The name that it asked for, where it got another. */
  askedAs?: string | undefined;
  secret: string;
  /** What it asks to be known by; null for a machine that is known. */
  wish: Wish | null;
  /** The sign-in was made for this alone, and ends with it. */
  isOwnSignIn: boolean;
}

const newSecret = (): string => randomBytes(32).toString("base64url");
const thisMachine = (): string => plainLine(hostname()).slice(0, 60) || "my machine";

const lastingPass = ({ name, askedAs, connectorId, stamp, secret }: Enrolment): Pass => ({
  bearer: connectorCredential({ kind: "secret", connectorId, stamp, secret }),
  name,
  askedAs,
  secret,
  wish: null,
  isOwnSignIn: false,
});

/** Signs in as whoever owns this machine: with what was given, with the saved sign-in, or with a code and a browser. */
async function ownersToken({ url, token, env, say }: Connecting): Promise<{ token: string; isOwn: boolean }> {
  const known = await signedIn({ command: { kind: "login" }, url, token }, credentialFile(env), true);
  if (known) return { token: known.token, isOwn: false };
  const login = {
    url,
    clientId: "mosaic-connector",
    say,
    sleep: (ms: number) => sleep(ms),
    now: () => Date.now(),
  } as const;
  return { token: await deviceLogin(login), isOwn: true };
}

/** The secret is in the file before it is shown: the same one comes again after a crash half-way. */
async function newPass(connecting: Connecting, name: string): Promise<Pass> {
  const { url, file, token } = connecting;
  const before = file.wish(url);
  const wish = before?.name === name ? before : { name, secret: newSecret() };
  const isOneTime = token !== undefined && readConnectorCredential(token)?.kind === "token";
  const signIn = isOneTime ? { token, isOwn: false } : await ownersToken(connecting);
  file.saveWish(url, wish);
  return { bearer: signIn.token, name, secret: wish.secret, wish, isOwnSignIn: signIn.isOwn };
}

async function passFor(connecting: Connecting, wishedName: string | undefined): Promise<Pass> {
  const saved = connecting.file.enrolment(connecting.url);
  const given = connecting.token === undefined ? null : readConnectorCredential(connecting.token);
  const isOther = given?.kind === "token" && given.connectorId !== saved?.connectorId;
  const isNamed = wishedName === undefined || wishedName === saved?.name || wishedName === saved?.askedAs;
  if (saved && !isOther && isNamed) return lastingPass(saved);
  return await newPass(connecting, wishedName ?? saved?.name ?? thisMachine());
}

/** What Mosaic says no to for good; anything else passes, or is not Mosaic's word. */
const REFUSALS = new Set<ErrorCode>([
  "invalid_request",
  "unknown_field",
  "unauthenticated",
  "expired",
  "forbidden",
  "not_found",
  "conflict",
]);

/** What the end of a connection means: null to dial again, otherwise what the person is told. */
function lastWord({ verdict, code, reason }: Ended, { wish }: Pass, url: string): string | null {
  if (verdict === "unauthenticated" && wish) return reason;
  if (verdict === "unauthenticated" || code === CLOSE.unauthenticated) {
    return `${url} does not know this machine (any more); run \`npx mosaic connect\` again to add it.`;
  }
  if (verdict !== null && REFUSALS.has(verdict)) return reason;
  if (code === CLOSE.revoked) return `The connection ended for good: ${reason}.`;
  if (code === CLOSE.deleted) return `This machine was removed at ${url}; run \`npx mosaic connect\` to add it again.`;
  if (code === CLOSE.wrongProtocol) return `This program and ${url} do not understand each other: ${reason}.`;
  return null;
}

function why({ status, verdict, reason }: Ended): string {
  if (reason !== "") return plainLine(reason);
  if (status === null) return "the connection broke";
  const isElsewhere = status === 404 && verdict === null;
  return `the server answered ${status}${isElsewhere ? ", as if there were no Mosaic, or one that takes no machines" : ""}`;
}

/** What it is called from now on. A token from the page has its name from there. */
function named({ wish, name, askedAs }: Pass, given: string): Pick<Enrolment, "name" | "askedAs"> {
  if (!wish) return { name, ...(askedAs === undefined ? {} : { askedAs }) };
  return { name: given, ...(given === wish.name ? {} : { askedAs: wish.name }) };
}

const renamed = (asked: string, given: string): string =>
  `This machine is called "${given}": another one of yours is "${asked}", or the token was made for that name.`;

async function endSignIn(url: string, bearer: string): Promise<void> {
  await fetch(`${url}/api/auth/sign-out`, {
    method: "POST",
    headers: { authorization: `Bearer ${bearer}`, "content-type": "application/json" },
    body: "{}",
  }).catch(() => null);
}

/** Dials, and dials again, until it is told to stop or not to come back. @returns the exit code */
async function stayConnected(connecting: Connecting, first: Pass, signal: AbortSignal): Promise<number> {
  const { url, file, say } = connecting;
  const upstreams = file.upstreams();
  let pass = first;
  let wasWelcome = false;
  for (let attempt = 0; ; attempt += 1) {
    const ended = await dial({
      url,
      bearer: pass.bearer,
      enrol: pass.wish,
      upstreams,
      version: VERSION,
      signal,
      serve: (request) => askUpstream(upstreams, pass.name, request),
      welcomed: ({ connectorId, name, stamp }) => {
        const isBack = attempt > 0 || !wasWelcome;
        attempt = 0;
        wasWelcome = true;
        if (pass.isOwnSignIn) void endSignIn(url, pass.bearer);
        // Also one that is known: the stamp is another once Mosaic's key was changed.
        const next = { ...named(pass, name), secret: pass.secret, connectorId, stamp };
        if (pass.wish && next.askedAs !== undefined) say(plainLine(renamed(next.askedAs, name)));
        if (lastingPass(next).bearer !== pass.bearer) {
          file.saveEnrolment(url, next);
          pass = lastingPass(next);
        }
        const offered = upstreams.map((upstream) => `${upstream.name} (${upstream.url})`).join(", ");
        if (isBack) say(plainLine(`Connected to ${url} as "${name}": ${offered || "nothing yet"}.`));
      },
    });
    if (signal.aborted) return 0;
    const last = lastWord(ended, pass, url);
    if (last !== null) {
      const isUnknown = ended.verdict === "unauthenticated" || ended.code === CLOSE.deleted;
      // What is good already stays, whatever is said of another.
      if (isUnknown && pass.wish) file.forgetWish(url);
      else if (isUnknown) file.forgetEnrolment(url);
      throw new ApiError({ code: "unauthenticated", message: plainLine(last) });
    }
    if (attempt === 0) say(`Not connected to ${url}: ${why(ended)}. Trying again for as long as it takes.`);
    await sleep(reconnectDelayMs(attempt, Math.random()), undefined, { signal }).catch(() => {});
    if (signal.aborted) return 0;
  }
}

/**
 * `mosaic connect`: serves this machine's model servers until Ctrl+C.
 * @returns the exit code
 * @throws ApiError or UsageError with the sentence to show
 */
export async function runConnect(
  { url, token }: Pick<Invocation, "url" | "token">,
  { help, name, ollama }: ConnectCommand,
  { env, say }: Pick<Connecting, "env" | "say">,
): Promise<number> {
  if (help) {
    say(CONNECT_HELP.trimEnd());
    return 0;
  }
  const file = connectorFile(env);
  if (ollama !== undefined) file.saveOllama(ollama);
  const connecting: Connecting = { url, file, token, env, say };
  const pass = await passFor(connecting, name);
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort()).once("SIGTERM", () => stop.abort());
  return await stayConnected(connecting, pass, stop.signal);
}
