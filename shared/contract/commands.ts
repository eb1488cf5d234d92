/** What a slash command is called, what it takes, what it does: clients offer these, the conversation carries them out. */
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
