/** Our request in the words of Ollama's own `/api/chat`. */
import type { Part } from "../../../contract/message.ts";
import type { ModelRequest, PromptMessage } from "../../../ports/model-provider.ts";
import { inputObject, mentionOf, outputText } from "../prompt-parts.ts";

export interface OllamaFacts {
  contextLength: number | null;
  thinks: boolean;
}

interface OllamaMessage {
  role: "system" | "user" | "assistant" | "tool";
  content: string;
  thinking?: string;
  tool_calls?: { id: string; function: { name: string; arguments: Record<string, unknown> } }[];
  tool_name?: string;
  tool_call_id?: string;
}

const SMALLEST_CONTEXT = 8_192;
const DEFAULT_OUTPUT_TOKENS = 4_096;
/** Fewer than any tokenizer needs, so that the prompt never outgrows its context unseen. */
const CHARACTERS_PER_TOKEN = 2.5;

const textIn = (parts: readonly Part[]): string =>
  parts
    .flatMap((part) => {
      if (part.type === "text") return part.text === "" ? [] : [part.text];
      return part.type === "image" || part.type === "file" ? [mentionOf(part)] : [];
    })
    .join("\n\n");

function assistantMessage(parts: readonly Part[]): OllamaMessage[] {
  const thinking = parts.flatMap((part) => (part.type === "thinking" ? [part.text] : [])).join("\n\n");
  const calls = parts.flatMap((part) =>
    part.type === "tool-call"
      ? [{ id: part.callId, function: { name: part.name, arguments: inputObject(part.input) } }]
      : [],
  );
  const content = textIn(parts);
  if (content === "" && calls.length === 0) return [];
  return [
    {
      role: "assistant",
      content,
      ...(thinking ? { thinking } : {}),
      ...(calls.length > 0 ? { tool_calls: calls } : {}),
    },
  ];
}

function messagesOf(message: PromptMessage, names: ReadonlyMap<string, string>): OllamaMessage[] {
  if (message.role === "assistant") return assistantMessage(message.parts);
  const results = message.parts.flatMap((part): OllamaMessage[] =>
    part.type === "tool-result"
      ? [
          {
            role: "tool",
            content: outputText(part.output),
            tool_name: names.get(part.callId) ?? part.callId,
            tool_call_id: part.callId,
          },
        ]
      : [],
  );
  const content = textIn(message.parts);
  return content === "" ? results : [...results, { role: "user", content }];
}

/**
 * How much context to ask for. Ollama's default cuts a prompt without a word, and the model's whole window may not fit
 * into memory: the prompt's need, doubled in steps because every other size loads the model anew.
 */
export function contextFor(promptCharacters: number, outputTokens: number, limit: number | null): number {
  const need = Math.ceil(promptCharacters / CHARACTERS_PER_TOKEN) + outputTokens;
  let size = SMALLEST_CONTEXT;
  while (size < need) size *= 2;
  return limit === null ? size : Math.min(size, limit);
}

export function toOllamaRequest(request: ModelRequest, facts: OllamaFacts): Record<string, unknown> {
  const names = new Map(
    request.messages.flatMap(({ parts }) =>
      parts.flatMap((part): [string, string][] => (part.type === "tool-call" ? [[part.callId, part.name]] : [])),
    ),
  );
  const messages: OllamaMessage[] = [
    ...(request.system ? [{ role: "system" as const, content: request.system }] : []),
    ...request.messages.flatMap((message) => messagesOf(message, names)),
  ];
  const tools = (request.tools ?? []).map((tool) => ({
    type: "function",
    function: { name: tool.name, description: tool.description, parameters: tool.inputSchema },
  }));
  const characters = JSON.stringify(messages).length + JSON.stringify(tools).length;
  return {
    model: request.model,
    stream: true,
    messages,
    ...(tools.length > 0 ? { tools } : {}),
    // A model without thinking refuses the field, whatever its value.
    ...(facts.thinks ? { think: (request.reasoning ?? "off") !== "off" } : {}),
    options: {
      num_ctx: contextFor(characters, request.maxOutputTokens ?? DEFAULT_OUTPUT_TOKENS, facts.contextLength),
      ...(request.maxOutputTokens === undefined ? {} : { num_predict: request.maxOutputTokens }),
      ...(request.temperature === undefined ? {} : { temperature: request.temperature }),
    },
  };
}
