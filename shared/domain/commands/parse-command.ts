import { COMMANDS, type CommandName } from "../../contract/commands.ts";
import { nearestNames } from "../nearest-names.ts";

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
