/** Our request in the words of OpenAI's Responses API. Nothing is stored there: what must come back travels with us. */
import type { ResponseCreateParamsStreaming, ResponseInputItem } from "openai/resources/responses/responses";
import * as z from "zod";
import { rowsOf } from "../../../domain/catalogue/catalogue-seed.ts";
import { rowOf } from "../../../domain/catalogue/describe-model.ts";
import type { ModelRequest, PromptMessage, PromptPart } from "../../../ports/model-provider.ts";
import { dataUrl, inlineImage, inputObject, mentionOf, outputText } from "../prompt-parts.ts";

/** What makes a reasoning item replayable, as the `signature` of a thinking part. */
const ReasoningSignature = z.object({ id: z.string(), encrypted: z.string() });

export const reasoningSignature = (id: string, encrypted: string): string => JSON.stringify({ id, encrypted });

function reasoningItem(part: Extract<PromptPart, { type: "thinking" }>): ResponseInputItem[] {
  try {
    const { id, encrypted } = ReasoningSignature.parse(JSON.parse(part.signature ?? ""));
    const summary = part.text === "" ? [] : [{ type: "summary_text" as const, text: part.text }];
    return [{ type: "reasoning", id, encrypted_content: encrypted, summary }];
  } catch {
    // Another vendor's thinking, or none that can be replayed.
    return [];
  }
}

function itemsOf(role: PromptMessage["role"], part: PromptPart): ResponseInputItem[] {
  switch (part.type) {
    case "text":
      return part.text === "" ? [] : [{ role, content: part.text }];
    case "image":
    case "file": {
      const image = inlineImage(part);
      if (!image || role !== "user") return [{ role, content: mentionOf(part) }];
      return [{ role, content: [{ type: "input_image", detail: "auto", image_url: dataUrl(image) }] }];
    }
    case "thinking":
      return reasoningItem(part);
    case "tool-call":
      return [
        {
          type: "function_call",
          call_id: part.callId,
          name: part.name,
          arguments: JSON.stringify(inputObject(part.input)),
        },
      ];
    case "tool-result":
      return [{ type: "function_call_output", call_id: part.callId, output: outputText(part.output) }];
  }
}

export function toResponsesRequest(request: ModelRequest): ResponseCreateParamsStreaming {
  // Models that do not reason refuse these settings; those that do refuse a temperature.
  const reasons = request.canReason ?? rowOf(rowsOf("openai"), request.model)?.capabilities?.reasoning ?? false;
  const wish = request.reasoning ?? "off";
  return {
    model: request.model,
    stream: true,
    store: false,
    input: request.messages.flatMap(({ role, parts }) => parts.flatMap((part) => itemsOf(role, part))),
    ...(request.system ? { instructions: request.system } : {}),
    ...(request.maxOutputTokens === undefined ? {} : { max_output_tokens: request.maxOutputTokens }),
    ...(request.temperature === undefined || reasons ? {} : { temperature: request.temperature }),
    ...(reasons ? { include: ["reasoning.encrypted_content" as const] } : {}),
    ...(reasons && wish !== "off" ? { reasoning: { effort: wish, summary: "auto" as const } } : {}),
    ...(request.tools?.length
      ? {
          tools: request.tools.map((tool) => ({
            type: "function" as const,
            name: tool.name,
            description: tool.description,
            parameters: tool.inputSchema,
            strict: false,
          })),
        }
      : {}),
  };
}
