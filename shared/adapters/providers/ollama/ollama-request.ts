/** Our request in the words of Ollama's own `/api/chat`. */
import type { ModelRequest, PromptMessage, PromptPart } from "../../../ports/model-provider.ts";
import { inlineImage, inputObject, outputText, textIn } from "../prompt-parts.ts";

export interface OllamaFacts {
  contextLength: number | null;
  thinks: boolean;
}

interface OllamaMessage {
  role: "system" | "user" | "assistant" | "tool";
  content: string;
  thinking?: string;
  /** Base64. */
  images?: string[];
  tool_calls?: { id: string; function: { name: string; arguments: Record<string, unknown> } }[];
  tool_name?: string;
  tool_call_id?: string;
}

const SMALLEST_CONTEXT = 8_192;
const DEFAULT_OUTPUT_TOKENS = 4_096;
/** Fewer than any tokenizer needs, so that the prompt never outgrows its context unseen. */
const CHARACTERS_PER_TOKEN = 2.5;
/** An image is read as some 1,500 tokens, however many bytes it has. */
const CHARACTERS_PER_IMAGE = 4_000;

function assistantMessage(parts: readonly PromptPart[]): OllamaMessage[] {
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
  const images = message.parts.flatMap((part) => inlineImage(part)?.data ?? []);
  if (content === "" && images.length === 0) return results;
  return [...results, { role: "user", content, ...(images.length > 0 ? { images } : {}) }];
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
  const words = messages.map(({ images: _images, ...message }) => message);
  const images = messages.reduce((count, message) => count + (message.images?.length ?? 0), 0);
  const characters = JSON.stringify(words).length + JSON.stringify(tools).length + images * CHARACTERS_PER_IMAGE;
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
