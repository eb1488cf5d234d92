/** `mosaic`: chat in the terminal, or print one answer. Run by bin/mosaic.mjs. */
import { setTimeout as sleep } from "node:timers/promises";
import { createApiClient } from "../../shared/client/api-client.ts";
import { ApiError } from "../../shared/client/api-error.ts";
import { deviceLogin } from "./device-login.ts";
import { conversationsWithOutbox, credentialFile, fileOutbox } from "./local-files.ts";
import { chooseConversation, openConversation, type Server } from "./open-conversation.ts";
import { type Command, HELP, type Invocation, parseArguments } from "./parse-arguments.ts";
import { plainLine, plainText } from "./plain-text.ts";
import { askOnce, NothingCameOfIt } from "./print-answer.ts";
import { readStdin } from "./read-stdin.ts";
import { refuseUnsendable } from "./refuse-unsendable.ts";
import { resendLeftovers } from "./resend-leftovers.ts";
import { VERSION } from "./version.ts";

const { env } = process;
const credentials = credentialFile(env);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const serverAt = (url: string, token: string): Server => ({
  url,
  token,
  api: createApiClient({ baseUrl: url, token }),
});

async function login(url: string): Promise<Server> {
  const token = await deviceLogin({ url, say, sleep: (ms) => sleep(ms), now: () => Date.now() });
  const server = serverAt(url, token);
  const { user } = await server.api.me();
  credentials.save(url, token);
  say(`Signed in at ${url} as ${plainLine(user.name)} <${plainLine(user.email)}>.`);
  return server;
}

async function logout(url: string): Promise<void> {
  const token = credentials.token(url);
  if (token === undefined) {
    say(`You were not signed in at ${url}.`);
    return;
  }
  // The server may be gone; what is saved here goes in any case.
  await fetch(`${url}/api/auth/sign-out`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: "{}",
  }).catch(() => null);
  credentials.forget(url);
  say(`Signed out of ${url}.`);
}

const notSignedIn = (url: string): ApiError =>
  new ApiError({ code: "unauthenticated", message: `You are not signed in at ${url}. Run \`mosaic login\` first.` });

/** The server with a token that it accepts; asks the person to sign in where that is possible. */
async function signedIn({ url, token }: Invocation, canAsk: boolean): Promise<Server> {
  const saved = token ?? credentials.token(url);
  if (saved === undefined) {
    if (!canAsk) throw notSignedIn(url);
    return await login(url);
  }
  const server = serverAt(url, saved);
  try {
    await server.api.me();
    return server;
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
    if (token !== undefined) {
      throw new ApiError({ code: "unauthenticated", message: `${url} does not accept this token; make a new one.` });
    }
    if (!canAsk) {
      throw new ApiError({ code: "expired", message: `The sign-in at ${url} has ended. Run \`mosaic login\` again.` });
    }
    return await login(url);
  }
}

async function print(invocation: Invocation, command: Extract<Command, { kind: "print" }>): Promise<void> {
  const piped = await readStdin(command.text === "");
  const text = [command.text, piped].filter((part) => part.trim() !== "").join("\n\n");
  if (text === "")
    throw new ApiError({ code: "invalid_request", message: 'There is nothing to ask: mosaic -p "text".' });
  refuseUnsendable(text, command.model);
  const server = await signedIn(invocation, false);
  const conversationId = await chooseConversation(server.api, command.conversation, undefined);
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort()).once("SIGTERM", () => stop.abort());
  const question = { conversationId, text, model: command.model, signal: stop.signal };
  const answer = await askOnce(server, question).catch(async (error: unknown) => {
    const isLitter = error instanceof NothingCameOfIt && command.conversation.kind === "new";
    if (isLitter) await server.api.conversations.remove(conversationId).catch(() => {});
    throw error;
  });
  say(command.json ? JSON.stringify(answer) : plainText(answer.text));
}

async function chat(invocation: Invocation, command: Extract<Command, { kind: "chat" }>): Promise<void> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    throw new ApiError({
      code: "invalid_request",
      message: 'Chatting needs a terminal; use mosaic -p "text" in scripts.',
    });
  }
  // Loaded only here: a printed answer needs no screen.
  const { runChat } = await import("./tui/run-chat.ts");
  let server = await signedIn(invocation, true);
  const { url } = invocation;
  const outboxOf = (id: string) => fileOutbox(env, url, id);
  let conversationId = await chooseConversation(server.api, command.conversation, command.model);
  let isOurs = command.conversation.kind === "new";
  if (!isOurs && command.model !== undefined) {
    await server.api.conversations.update(conversationId, { model: command.model });
  }
  const others = conversationsWithOutbox(env, url).filter((id) => id !== conversationId);
  const resent = await resendLeftovers(server, others, outboxOf);
  let greeting = resent === 0 ? null : `${resent} unsent message(s) of earlier conversations went out now.`;
  for (;;) {
    const client = openConversation(server, conversationId, outboxOf(conversationId), 0);
    const end = await runChat({ client, greeting, colour: !env.NO_COLOR });
    greeting = null;
    if (end.kind === "failed") throw new ApiError({ code: "network", message: end.message });
    if (end.kind === "signed-out") {
      server = await signedIn(invocation, true);
      continue;
    }
    const left = conversationId;
    const isLitter = isOurs && end.isEmpty;
    if (end.kind === "new") {
      conversationId = await chooseConversation(server.api, { kind: "new" }, command.model);
      isOurs = true;
    }
    // One that was made here and never used would only stand in the way of `-c`.
    if (isLitter) await server.api.conversations.remove(left).catch(() => {});
    else say(`mosaic -c ${left} goes on with this conversation.`);
    if (end.kind === "quit") return;
  }
}

async function run(invocation: Invocation): Promise<void> {
  const { command, url } = invocation;
  switch (command.kind) {
    case "help":
      return say(HELP.trimEnd());
    case "version":
      return say(VERSION);
    case "login":
      await login(url);
      return;
    case "logout":
      return await logout(url);
    case "print":
      return await print(invocation, command);
    case "chat":
      return await chat(invocation, command);
  }
}

async function main(words: readonly string[]): Promise<number> {
  const parsed = parseArguments(words, env);
  if (!parsed.ok) {
    process.stderr.write(`mosaic: ${plainLine(parsed.message)}\n`);
    return 2;
  }
  try {
    await run(parsed.invocation);
    return 0;
  } catch (error) {
    const message = error instanceof ApiError ? error.message : `Something went wrong here: ${String(error)}`;
    process.stderr.write(`mosaic: ${plainLine(message)}\n`);
    return 1;
  }
}

process.exitCode = await main(process.argv.slice(2));
// The terminal's input handlers would keep the process alive.
if (process.stdout.writableLength === 0) process.exit();
else process.stdout.once("drain", () => process.exit());
