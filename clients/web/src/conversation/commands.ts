import { COMMANDS } from "../../../../shared/contract/commands.ts";

export interface CommandHint {
  /** With its slash. */
  name: string;
  argument: string;
  what: string;
}

const HINTS: readonly CommandHint[] = COMMANDS.map(({ name, args, summary }) => ({
  name: `/${name}`,
  argument: args,
  what: summary,
}));

/** A line is a command when its first word is a slash and a name; a path such as `/etc/hosts` is not. */
export const isCommand = (text: string): boolean => /^\/[a-z][a-z-]*(\s|$)/i.test(text) && !text.includes("\n");

/** What to offer while the first word is typed; nothing once its argument has begun. */
export function commandsFor(text: string): CommandHint[] {
  if (!/^\/[a-z-]*$/i.test(text)) return [];
  return HINTS.filter(({ name }) => name.startsWith(text.toLowerCase()));
}
