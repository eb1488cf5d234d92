/** `mosaic`: chat in the terminal, or print one answer. Run by bin/mosaic.mjs. */
import { ApiError } from "../../shared/client/api-error.ts";
import { resendLeftovers } from "../../shared/client/resend-leftovers.ts";
import { refuseUnsendable } from "../../shared/client/sendable.ts";
import type { CommandName } from "../../shared/contract/commands.ts";
import { runConnect } from "./connect/run-connect.ts";
import { invitation } from "./invitation.ts";
import { conversationsWithOutbox, credentialFile, fileOutbox } from "./local-files.ts";
import { chooseConversation, openConversation, type Server } from "./open-conversation.ts";
import { type Command, HELP, type Invocation, parseArguments } from "./parse-arguments.ts";
import { plainLine, plainText } from "./plain-text.ts";
import { askOnce, NothingCameOfIt } from "./print-answer.ts";
import { commandIn, needsConversation, printCommand } from "./print-command.ts";
import { runModels, runProviders } from "./providers/run-providers.ts";
import { readStdin } from "./read-stdin.ts";
import { login, signedIn } from "./signed-in.ts";
import { UsageError } from "./usage-error.ts";
import { VERSION } from "./version.ts";
import { signInEnded, whyClosed } from "./why-closed.ts";

const { env } = process;
const credentials = credentialFile(env);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

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

const signInHere = async (invocation: Invocation): Promise<Server> =>
  (await signedIn(invocation, credentials, true)) ?? (await login(invocation.url, credentials, say));

async function signedInAlready(invocation: Invocation): Promise<Server> {
  const server = await signedIn(invocation, credentials, false);
  if (!server) throw signInEnded(invocation.url);
  return server;
}

type Print = Extract<Command, { kind: "print" }>;

async function print(invocation: Invocation, command: Print): Promise<void> {
  const piped = await readStdin(command.text === "");
  const text = [command.text, piped].filter((part) => part.trim() !== "").join("\n\n");
  if (text === "") throw new UsageError('There is nothing to ask: npx mosaic -p "text".');
  const name = commandIn(text);
  const result = name ? await runCommand(invocation, command, name, text) : await ask(invocation, command, text);
  say(command.json ? JSON.stringify(result) : plainText(result.text));
}

async function runCommand(invocation: Invocation, command: Print, name: CommandName, text: string) {
  if (/\n/.test(text.trim()))
    throw new UsageError(`\`/${name}\` is a command: it takes one line, and nothing piped in.`);
  if (command.conversation.kind === "new" && needsConversation(name)) {
    throw new UsageError(`\`/${name}\` is about a conversation: add -c for your latest one, or -c <id>.`);
  }
  return await printCommand(() => signedInAlready(invocation), name, text.trim(), command.conversation);
}

async function ask(invocation: Invocation, command: Print, text: string) {
  refuseUnsendable({ text, ...(command.model === undefined ? {} : { model: command.model }) });
  const server = await signedInAlready(invocation);
  const conversationId = await chooseConversation(server.api, command.conversation, undefined);
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort()).once("SIGTERM", () => stop.abort());
  const question = { conversationId, text, model: command.model, signal: stop.signal };
  return await askOnce(server, question).catch(async (error: unknown) => {
    const isLitter = error instanceof NothingCameOfIt && command.conversation.kind === "new";
    if (isLitter) await server.api.conversations.remove(conversationId).catch(() => {});
    throw error;
  });
}

async function chat(invocation: Invocation, command: Extract<Command, { kind: "chat" }>): Promise<void> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    throw new ApiError({
      code: "invalid_request",
      message: 'Chatting needs a terminal; use npx mosaic -p "text" in scripts.',
    });
  }
  // Loaded only here: a printed answer needs no screen.
  const { runChat } = await import("./tui/run-chat.ts");
  const server = await signInHere(invocation);
  const { url } = invocation;
  const outboxOf = (id: string) => fileOutbox(env, url, id);
  let conversationId = await chooseConversation(server.api, command.conversation, command.model);
  let isOurs = command.conversation.kind === "new";
  if (!isOurs && command.model !== undefined) {
    await server.api.conversations.update(conversationId, { model: command.model });
  }
  const others = conversationsWithOutbox(env, url).filter((id) => id !== conversationId);
  const resent = await resendLeftovers(server.api, others, outboxOf);
  const sent = `${resent} unsent message(s) of earlier conversations went out now.`;
  let greeting = resent === 0 ? await invitation(server) : sent;
  for (;;) {
    const client = openConversation(server, conversationId, outboxOf(conversationId), 0);
    const end = await runChat({ client, greeting, colour: !env.NO_COLOR, url });
    greeting = null;
    if (end.kind === "failed") throw new ApiError({ code: "network", message: end.message });
    if (end.kind === "closed") throw await whyClosed(server, end);
    const left = conversationId;
    const isLitter = isOurs && end.isEmpty;
    if (end.kind === "new") {
      conversationId = await chooseConversation(server.api, { kind: "new" }, command.model);
      isOurs = true;
    }
    // One that was made here and never used would only stand in the way of `-c`.
    if (isLitter) await server.api.conversations.remove(left).catch(() => {});
    else say(`npx mosaic -c ${left} goes on with this conversation.`);
    if (end.kind === "quit") return;
  }
}

/** @returns the exit code */
async function run(invocation: Invocation): Promise<number> {
  const { command, url } = invocation;
  const surroundings = { signIn: () => signedInAlready(invocation), say };
  switch (command.kind) {
    case "providers":
      return await runProviders(command, surroundings);
    case "models":
      return await runModels(command, surroundings);
    case "connect":
      return await runConnect(invocation, command, { env, say });
    case "help":
      say(HELP.trimEnd());
      break;
    case "version":
      say(VERSION);
      break;
    case "login":
      await login(url, credentials, say);
      break;
    case "logout":
      await logout(url);
      break;
    case "print":
      await print(invocation, command);
      break;
    case "chat":
      await chat(invocation, command);
      break;
  }
  return 0;
}

async function main(words: readonly string[]): Promise<number> {
  const parsed = parseArguments(words, env);
  if (!parsed.ok) {
    process.stderr.write(`mosaic: ${plainLine(parsed.message)}\n`);
    return 2;
  }
  try {
    return await run(parsed.invocation);
  } catch (error) {
    const message =
      error instanceof ApiError || error instanceof UsageError
        ? error.message
        : `Something went wrong here: ${String(error)}`;
    process.stderr.write(`mosaic: ${plainLine(message)}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

process.exitCode = await main(process.argv.slice(2));
// The terminal's input handlers would keep the process alive.
if (process.stdout.writableLength === 0) process.exit();
else process.stdout.once("drain", () => process.exit());
