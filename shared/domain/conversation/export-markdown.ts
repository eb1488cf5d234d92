import type { Conversation } from "../../contract/conversation.ts";
import type { Message, Part } from "../../contract/message.ts";

const fence = (text: string): string => {
  const longest = Math.max(2, ...[...text.matchAll(/`{3,}/g)].map((match) => match[0].length));
  const marks = "`".repeat(longest + 1);
  return `${marks}\n${text}\n${marks}`;
};

function partMarkdown(part: Part): string {
  switch (part.type) {
    case "text":
      return part.text;
    case "thinking":
      return part.text ? `<details><summary>Thinking</summary>\n\n${fence(part.text)}\n\n</details>` : "";
    case "image":
    case "file":
      return `*${part.type}: ${part.name} (${part.mediaType})*`;
    case "tool-call":
      return `*Tool ${part.name}*\n\n${fence(JSON.stringify(part.input, null, 2))}`;
    case "tool-result":
      return `*${part.isError ? "Tool error" : "Tool result"}*\n\n${fence(typeof part.output === "string" ? part.output : JSON.stringify(part.output, null, 2))}`;
  }
}

const heading = (message: Message): string => {
  if (message.role !== "assistant") return message.role === "user" ? "You" : message.role;
  const { model, provider } = message.metadata;
  return model ? `Assistant (${provider ? `${provider}/` : ""}${model})` : "Assistant";
};

/** How a readable Markdown document begins; the messages of the active path follow. */
export const markdownHead = ({ title }: Pick<Conversation, "title">): string => `# ${title.replaceAll("\n", " ")}\n`;

export function markdownOf(message: Message): string {
  const body = message.parts.map(partMarkdown).filter(Boolean).join("\n\n");
  return `\n## ${heading(message)}\n\n*${message.createdAt}*\n\n${body}\n`;
}
