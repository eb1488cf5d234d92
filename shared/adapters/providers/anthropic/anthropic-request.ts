/** Our request in Anthropic's words. */
import type {
  ContentBlockParam,
  MessageCreateParamsStreaming,
  ThinkingConfigParam,
} from "@anthropic-ai/sdk/resources/messages/messages";
import { rowsOf } from "../../../domain/catalogue/catalogue-seed.ts";
import { rowOf } from "../../../domain/catalogue/describe-model.ts";
import type { ModelRequest, PromptMessage, PromptPart } from "../../../ports/model-provider.ts";
import { inlineImage, inputObject, mentionOf, outputText } from "../prompt-parts.ts";

const DEFAULT_MAX_TOKENS = 8_192;
/** Tokens of thinking; the least Anthropic takes is 1,024. */
const THINKING_BUDGET = { low: 1_024, medium: 4_096, high: 16_384 } as const;

interface Turn {
  role: "user" | "assistant";
  content: ContentBlockParam[];
}

function blocksOf(part: PromptPart): ContentBlockParam[] {
  switch (part.type) {
    case "text":
      // An empty text block is refused.
      return part.text.trim() === "" ? [] : [{ type: "text", text: part.text }];
    case "thinking":
      if (part.redacted) return [{ type: "redacted_thinking", data: part.redacted }];
      // Unsigned thinking (another vendor's, or cut off) is refused.
      return part.signature ? [{ type: "thinking", thinking: part.text, signature: part.signature }] : [];
    case "image":
    case "file": {
      const image = inlineImage(part);
      if (!image) return [{ type: "text", text: mentionOf(part) }];
      return [{ type: "image", source: { type: "base64", media_type: image.mediaType, data: image.data } }];
    }
    case "tool-call":
      return [{ type: "tool_use", id: part.callId, name: part.name, input: inputObject(part.input) }];
    case "tool-result":
      return [
        {
          type: "tool_result",
          tool_use_id: part.callId,
          content: outputText(part.output),
          ...(part.isError ? { is_error: true } : {}),
        },
      ];
  }
}

function contentOf(message: PromptMessage): ContentBlockParam[] {
  const blocks = message.parts.flatMap(blocksOf);
  if (message.role === "assistant") return blocks;
  // Results must come before anything else in their message.
  return [
    ...blocks.filter((block) => block.type === "tool_result"),
    ...blocks.filter((block) => block.type !== "tool_result"),
  ];
}

/** A prefix up to the newest user message is cached: the next turn and the next step read it at a tenth of the price. */
function withCacheMarker(messages: Turn[]): Turn[] {
  const last = messages.findLastIndex((message) => message.role === "user");
  return messages.map((message, index) => {
    if (index !== last) return message;
    const end = message.content.length - 1;
    const content = message.content.map((block, position) =>
      position === end && (block.type === "text" || block.type === "tool_result" || block.type === "image")
        ? { ...block, cache_control: { type: "ephemeral" as const } }
        : block,
    );
    return { ...message, content };
  });
}

/** In a tool loop Anthropic wants the signed thinking that led to the call; a call another vendor made has none. */
function mayThink(messages: readonly PromptMessage[]): boolean {
  const last = messages.at(-1);
  if (!last?.parts.some((part) => part.type === "tool-result")) return true;
  const before = messages.at(-2);
  return before?.parts.some((part) => part.type === "thinking" && (part.signature || part.redacted)) ?? false;
}

function thinkingOf(request: ModelRequest, maxTokens: number): ThinkingConfigParam | undefined {
  const wish = request.reasoning ?? "off";
  if (wish === "off" || maxTokens <= THINKING_BUDGET.low || !mayThink(request.messages)) return undefined;
  return {
    type: "enabled",
    budget_tokens: Math.min(THINKING_BUDGET[wish], Math.max(THINKING_BUDGET.low, maxTokens >> 1)),
  };
}

/** The SDK's types follow a later API version, which has no temperature; the one we ask for has. */
type AnthropicRequest = MessageCreateParamsStreaming & { temperature?: number };

export function toAnthropicRequest(request: ModelRequest): AnthropicRequest {
  const maxTokens =
    request.maxOutputTokens ?? rowOf(rowsOf("anthropic"), request.model)?.maxOutputTokens ?? DEFAULT_MAX_TOKENS;
  const thinking = thinkingOf(request, maxTokens);
  const messages = request.messages
    .map((message): Turn => ({ role: message.role, content: contentOf(message) }))
    .filter((message) => message.content.length > 0);
  return {
    model: request.model,
    max_tokens: maxTokens,
    stream: true,
    messages: withCacheMarker(messages),
    ...(request.system
      ? { system: [{ type: "text" as const, text: request.system, cache_control: { type: "ephemeral" as const } }] }
      : {}),
    ...(request.tools?.length
      ? {
          tools: request.tools.map((tool) => ({
            name: tool.name,
            description: tool.description,
            input_schema: { ...tool.inputSchema, type: "object" as const },
          })),
        }
      : {}),
    ...(thinking ? { thinking } : {}),
    // Thinking fixes the temperature; its range ends at 1.
    ...(request.temperature === undefined || thinking
      ? {}
      : { temperature: Math.min(1, Math.max(0, request.temperature)) }),
  };
}
