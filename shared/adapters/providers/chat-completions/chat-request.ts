/** Our request in the words of chat completions, bent to the vendor's record. */
import type {
  ChatCompletionContentPart,
  ChatCompletionCreateParamsStreaming,
  ChatCompletionMessageParam,
} from "openai/resources/chat/completions/completions";
import type { ModelRequest, PromptMessage, PromptPart } from "../../../ports/model-provider.ts";
import { dataUrl, inlineImage, inputObject, outputText, textIn } from "../prompt-parts.ts";
import type { ChatVendor } from "./chat-vendor.ts";

function assistantMessage(parts: readonly PromptPart[], vendor: ChatVendor): ChatCompletionMessageParam[] {
  const content = textIn(parts);
  const calls = parts.flatMap((part) =>
    part.type === "tool-call"
      ? [
          {
            id: part.callId,
            type: "function" as const,
            function: { name: part.name, arguments: JSON.stringify(inputObject(part.input)) },
          },
        ]
      : [],
  );
  if (content === "" && calls.length === 0) return [];
  const thinking = parts.flatMap((part) => (part.type === "thinking" && part.text ? [part.text] : [])).join("\n\n");
  const replayed =
    vendor.replayReasoningField && thinking && calls.length > 0 ? { [vendor.replayReasoningField]: thinking } : {};
  return [
    {
      role: "assistant",
      content: content === "" ? null : content,
      ...(calls.length > 0 ? { tool_calls: calls } : {}),
      ...replayed,
    },
  ];
}

/** Text alone stays text: small servers know no other form. */
function userContent(parts: readonly PromptPart[]): string | ChatCompletionContentPart[] {
  const images = parts.flatMap((part) => inlineImage(part) ?? []);
  const text = textIn(parts);
  if (images.length === 0) return text;
  return [
    ...(text === "" ? [] : [{ type: "text" as const, text }]),
    ...images.map((image) => ({ type: "image_url" as const, image_url: { url: dataUrl(image) } })),
  ];
}

function messagesOf(message: PromptMessage, vendor: ChatVendor): ChatCompletionMessageParam[] {
  if (message.role === "assistant") return assistantMessage(message.parts, vendor);
  const results = message.parts.flatMap((part): ChatCompletionMessageParam[] =>
    part.type === "tool-result" ? [{ role: "tool", tool_call_id: part.callId, content: outputText(part.output) }] : [],
  );
  const content = userContent(message.parts);
  return content === "" ? results : [...results, { role: "user", content }];
}

function reasoningOf(request: ModelRequest, vendor: ChatVendor): Record<string, unknown> {
  const wish = request.reasoning ?? "off";
  if (vendor.reasoningSwitch === "thinking") return { thinking: { type: wish === "off" ? "disabled" : "enabled" } };
  return vendor.reasoningSwitch === "effort" && wish !== "off" ? { reasoning: { effort: wish } } : {};
}

export function toChatRequest(request: ModelRequest, vendor: ChatVendor): ChatCompletionCreateParamsStreaming {
  const { temperature, maxOutputTokens } = request;
  return {
    model: request.model,
    stream: true,
    stream_options: { include_usage: true },
    messages: [
      ...(request.system ? [{ role: "system" as const, content: request.system }] : []),
      ...request.messages.flatMap((message) => messagesOf(message, vendor)),
    ],
    ...(maxOutputTokens === undefined ? {} : { [vendor.maxTokensField]: maxOutputTokens }),
    ...(temperature === undefined ? {} : { temperature: Math.min(vendor.maxTemperature, Math.max(0, temperature)) }),
    ...(request.tools?.length
      ? {
          tools: request.tools.map((tool) => ({
            type: "function" as const,
            function: { name: tool.name, description: tool.description, parameters: tool.inputSchema },
          })),
        }
      : {}),
    ...reasoningOf(request, vendor),
    ...vendor.extraBody,
  };
}
