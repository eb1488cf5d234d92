/** `-p "/usage"`: a slash command whose result is printed. */
import { ApiError } from "../../shared/client/api-error.ts";
import { memoryOutbox } from "../../shared/client/outbox.ts";
import { COMMANDS, type CommandName } from "../../shared/contract/commands.ts";
import { chooseConversation, openConversation, type Server } from "./open-conversation.ts";
import type { ConversationChoice } from "./parse-arguments.ts";
import { withFullAddresses } from "./with-full-addresses.ts";

/** What `--json` prints. */
export interface PrintedCommand {
  conversationId?: string;
  text: string;
}

/** The command that a text is; null for everything that is meant for a model, such as a path. */
export function commandIn(text: string): CommandName | null {
  const word = /^\/([a-z]+)(?=\s|$)/i.exec(text.trim())?.[1]?.toLowerCase();
  return COMMANDS.find(({ name }) => name === word)?.name ?? null;
}

const helpText = (): string =>
  COMMANDS.map(({ name, args, summary }) => `/${name}${args ? ` ${args}` : ""}: ${summary}`).join("\n");

async function modelsText({ api }: Server): Promise<string> {
  const items = await api.models.list();
  return (
    items.map((each) => `${each.provider}/${each.id} (${each.tier}, ${each.health})`).join("\n") ||
    "No model can be reached."
  );
}

/** Whether the command says the same everywhere; the others are about one conversation. */
export const needsConversation = (name: CommandName): boolean => name !== "help" && name !== "models";

/** Carries the command out, in the conversation that was chosen where there is one. Throws ApiError. */
export async function printCommand(
  signIn: () => Promise<Server>,
  name: CommandName,
  line: string,
  choice: ConversationChoice,
): Promise<PrintedCommand> {
  if (choice.kind === "new") {
    return { text: name === "help" ? helpText() : await modelsText(await signIn()) };
  }
  const server = await signIn();
  const conversationId = await chooseConversation(server.api, choice, undefined);
  const client = openConversation(server, conversationId, memoryOutbox(), null);
  try {
    await client.start();
    const { ok, text } = await client.command(line);
    if (!ok) throw new ApiError({ code: "invalid_request", message: text });
    return { conversationId, text: withFullAddresses(text, server.url) };
  } finally {
    client.stop();
  }
}
