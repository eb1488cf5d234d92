import { COMMANDS, type CommandName } from "../../shared/contract/commands.ts";
import type { Principal } from "../../shared/domain/access/principal.ts";
import { parseCommand } from "../../shared/domain/commands/parse-command.ts";
import type { CommandResult } from "./command-result.ts";
import { forkInto } from "./fork.ts";
import { answerAgain } from "./messages.ts";
import { listModels, modelCommand } from "./model-commands.ts";
import type { Room } from "./room.ts";
import { conversationContext } from "./session-info.ts";
import { updateConversation } from "./update.ts";

type Run = (room: Room, principal: Principal, args: string) => CommandResult | Promise<CommandResult>;

const dollars = (microUsd: number): string => `$${(microUsd / 1_000_000).toFixed(4)}`;

/** Carries a slash command out where the conversation lives, so that every surface has all of them. */
export async function executeCommand(room: Room, principal: Principal, line: string): Promise<CommandResult> {
  const parsed = parseCommand(line);
  if (!parsed.ok) return { ok: false, text: parsed.text };
  return await RUN[parsed.name](room, principal, parsed.args);
}

const RUN: Record<CommandName, Run> = {
  help: () => ({
    ok: true,
    text: COMMANDS.map(
      (command) => `/${command.name}${command.args ? ` ${command.args}` : ""}: ${command.summary}`,
    ).join("\n"),
    data: COMMANDS,
  }),
  model: (room, principal, args) => modelCommand(room, principal, args),
  models: (room, principal) => listModels(room, principal),
  history: (room) => {
    const context = conversationContext(room);
    const window = context.windowTokens ? ` of ${context.windowTokens.toLocaleString("en")}` : "";
    return {
      ok: true,
      text: `${context.messages} messages; the context holds about ${context.usedTokens.toLocaleString("en")}${window} tokens.`,
      data: context,
    };
  },
  context: (room) => {
    const context = conversationContext(room);
    const left = context.leftOut > 0 ? ` ${context.leftOut} older or other-branch messages stay out.` : "";
    return {
      ok: true,
      text: `The next message sends ${context.included} messages, about ${context.usedTokens} tokens.${left}`,
      data: context,
    };
  },
  retry: (room, principal) => {
    const question = lastQuestion(room);
    if (!question) return { ok: false, text: "There is no message to answer again." };
    const again = answerAgain(room, principal, question);
    return again.ok
      ? { ok: true, text: "Answering again.", data: again.value }
      : { ok: false, text: again.error.message };
  },
  fork: async (room, principal) => {
    const { headId } = room.journal.born;
    if (!headId) return { ok: false, text: "There is nothing to copy yet." };
    const forked = await forkInto(room, principal, headId);
    return forked.ok
      ? { ok: true, text: `Copied into "${forked.value.title}".`, data: { conversationId: forked.value.id } }
      : { ok: false, text: forked.error.message };
  },
  stop: (room, principal) => {
    const stopped = room.queue.stop(undefined, `Stopped by ${principal.name}.`);
    return { ok: stopped, text: stopped ? "Stopped." : "Nothing is being written at the moment." };
  },
  rename: async (room, principal, args) => {
    if (args === "" || args.length > 200)
      return { ok: false, text: "Say the new title, at most 200 characters: /rename <title>." };
    const renamed = await updateConversation(room, principal, { title: args });
    return renamed.ok
      ? { ok: true, text: `Renamed to "${renamed.value.title}".` }
      : { ok: false, text: renamed.error.message };
  },
  export: (room) => {
    const path = `/api/conversations/${room.id}/export?format=`;
    return {
      ok: true,
      text: `Download it as ${path}markdown or ${path}json`,
      data: { markdown: `${path}markdown`, json: `${path}json` },
    };
  },
  usage: (room) => {
    const usage = room.journal.usage();
    const text = `${usage.inputTokens} tokens in (${usage.cachedTokens} cached), ${usage.outputTokens} out, ${dollars(usage.microUsd)}.`;
    return { ok: true, text, data: usage };
  },
};

/** The newest message of a person on the active path. */
function lastQuestion(room: Room): string | null {
  for (const { message, deleted } of room.journal.pathBack(room.journal.born.headId)) {
    if (message.role === "user" && !deleted) return message.id;
  }
  return null;
}
