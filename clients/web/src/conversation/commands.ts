export interface CommandHint {
  name: string;
  argument?: string;
  what: string;
}

/** What the menu offers. The server knows them all and answers an unknown one with the nearest names. */
export const COMMANDS: readonly CommandHint[] = [
  { name: "/help", what: "What you can do here" },
  { name: "/model", argument: "name or clear", what: "Pin a model, or route each message again" },
  { name: "/models", what: "Models that can be reached" },
  { name: "/retry", what: "Answer the last message once more" },
  { name: "/stop", what: "Stop the answer" },
  { name: "/fork", what: "Go on in a copy" },
  { name: "/rename", argument: "title", what: "Name this conversation" },
  { name: "/context", what: "What fills the model's window" },
  { name: "/compact", argument: "focus", what: "Sum up what came before" },
  { name: "/usage", what: "Tokens and cost so far" },
  { name: "/route", argument: "text", what: "Which model a message would go to, and why" },
  { name: "/history", what: "The messages of this conversation" },
  { name: "/export", what: "This conversation as a file" },
  { name: "/agent", argument: "name", what: "Speak with an agent" },
  { name: "/memory", what: "What is remembered" },
];

/** A line is a command when its first word is a slash and a name; a path such as `/etc/hosts` is not. */
export const isCommand = (text: string): boolean => /^\/[a-z][a-z-]*(\s|$)/i.test(text) && !text.includes("\n");

/** What to offer while the first word is typed; nothing once its argument has begun. */
export function commandsFor(text: string): CommandHint[] {
  if (!/^\/[a-z-]*$/i.test(text)) return [];
  return COMMANDS.filter(({ name }) => name.startsWith(text.toLowerCase()));
}
