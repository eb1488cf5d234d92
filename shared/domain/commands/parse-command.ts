import { nearestNames } from "../nearest-names.ts";

/** What a slash command is called, what it takes, what it does; clients list these, the object carries them out. */
export const COMMANDS = [
  { name: "help", args: "", summary: "List the commands" },
  { name: "model", args: "[name|clear]", summary: "Show, pin or unpin the model of this conversation" },
  { name: "models", args: "", summary: "List the models that can be reached" },
  { name: "history", args: "", summary: "How many messages there are and how full the context is" },
  { name: "context", args: "", summary: "What the next message sends to the model" },
  { name: "retry", args: "", summary: "Answer the last message once more, beside the first answer" },
  { name: "fork", args: "", summary: "Copy this conversation up to here into a new one" },
  { name: "stop", args: "", summary: "Stop the answer that is being written" },
  { name: "rename", args: "<title>", summary: "Give this conversation another title" },
  { name: "export", args: "", summary: "Where to download this conversation" },
  { name: "usage", args: "", summary: "Tokens and cost of this conversation" },
] as const;

export type CommandName = (typeof COMMANDS)[number]["name"];

export type ParsedCommand = { ok: true; name: CommandName; args: string } | { ok: false; text: string };

/** Reads `/name arguments`. An unknown name is answered with the nearest ones. */
export function parseCommand(line: string): ParsedCommand {
  const match = /^\/?([a-z][\w-]*)(?:\s+([\s\S]*))?$/i.exec(line.trim());
  if (!match) return { ok: false, text: "A command starts with a slash and a name; /help lists them." };
  const wanted = (match[1] ?? "").toLowerCase();
  const found = COMMANDS.find((command) => command.name === wanted);
  if (found) return { ok: true, name: found.name, args: (match[2] ?? "").trim() };
  const near = nearestNames(
    wanted,
    COMMANDS.map((command) => command.name),
  ).map((name) => `/${name}`);
  const hint = near.length > 0 ? `Did you mean ${near.join(" or ")}?` : "/help lists the commands.";
  return { ok: false, text: `There is no command /${wanted}. ${hint}` };
}
