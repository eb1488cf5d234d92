/** OpenAI's `response.*` events in our words. Events it does not know are passed over. */
import type {
  Response as OpenAiResponse,
  ResponseFunctionToolCall,
  ResponseOutputItem,
  ResponseStreamEvent,
} from "openai/resources/responses/responses";
import type { FinishReason, Usage } from "../../../contract/message.ts";
import type { ModelEvent } from "../../../ports/model-provider.ts";
import { failureOfErrorBody } from "../classify-failure.ts";
import { failureOf, type Vendor } from "../errors.ts";
import { isCompleteInput, parseToolInput } from "../prompt-parts.ts";
import type { UsageSoFar } from "../run-stream.ts";
import { reasoningSignature } from "./openai-request.ts";

/** Cached tokens are inside the input tokens already. */
function usageOf(response: OpenAiResponse | undefined): Usage | undefined {
  const counts = response?.usage;
  return (
    counts && {
      inputTokens: counts.input_tokens ?? 0,
      outputTokens: counts.output_tokens ?? 0,
      cachedTokens: counts.input_tokens_details?.cached_tokens ?? 0,
    }
  );
}

class AnswerReader {
  readonly #vendor: Vendor;
  readonly #usage: UsageSoFar;
  readonly #requestedModel: string;
  readonly #calls = new Map<number, { callId: string; name: string }>();
  readonly #unparsed: ResponseFunctionToolCall[] = [];
  #called = false;
  #refused = false;

  constructor(vendor: Vendor, usage: UsageSoFar, requestedModel: string) {
    this.#vendor = vendor;
    this.#usage = usage;
    this.#requestedModel = requestedModel;
  }

  read(event: ResponseStreamEvent): ModelEvent[] {
    switch (event.type) {
      case "response.output_text.delta":
        return [{ type: "text-delta", text: event.delta }];
      case "response.refusal.delta":
        this.#refused = true;
        return [{ type: "text-delta", text: event.delta }];
      case "response.reasoning_summary_part.added":
        return event.summary_index > 0 ? [{ type: "thinking-delta", text: "\n\n" }] : [];
      case "response.reasoning_summary_text.delta":
      case "response.reasoning_text.delta":
        return [{ type: "thinking-delta", text: event.delta }];
      case "response.output_item.added":
        if (event.item.type === "function_call") {
          this.#calls.set(event.output_index, { callId: event.item.call_id, name: event.item.name });
        }
        return [];
      case "response.function_call_arguments.delta": {
        const call = this.#calls.get(event.output_index);
        return call ? [{ type: "tool-input-delta", ...call, text: event.delta }] : [];
      }
      case "response.output_item.done":
        return this.#itemDone(event.item);
      case "response.completed":
      case "response.incomplete":
      case "response.failed":
        return this.#end(event.response);
      default:
        return [];
    }
  }

  #itemDone(item: ResponseOutputItem): ModelEvent[] {
    if (item.type === "reasoning") {
      const signature = item.encrypted_content ? reasoningSignature(item.id, item.encrypted_content) : undefined;
      return [{ type: "thinking-end", ...(signature ? { signature } : {}) }];
    }
    if (item.type !== "function_call") return [];
    if (isCompleteInput(item.arguments)) return [this.#toolCall(item)];
    this.#unparsed.push(item);
    return [];
  }

  #toolCall(item: ResponseFunctionToolCall): ModelEvent {
    this.#called = true;
    return { type: "tool-call", callId: item.call_id, name: item.name, input: parseToolInput(item.arguments) };
  }

  #end(response: OpenAiResponse): ModelEvent[] {
    const usage = usageOf(response) ?? { inputTokens: 0, outputTokens: 0, cachedTokens: 0 };
    this.#usage.current = usage;
    const model = response.model || this.#requestedModel;
    if (response.status === "failed" || response.status === "cancelled") {
      const told = failureOfErrorBody(this.#vendor, response.error, model);
      return [{ type: "failure", failure: told ?? failureOf("server_error", this.#vendor) }];
    }
    const why = response.incomplete_details?.reason;
    if (response.status === "incomplete") {
      return [{ type: "finish", reason: why === "content_filter" ? "refusal" : "length", usage, model }];
    }
    // The answer is whole, so arguments that are no JSON are the model's own mistake: its tool will tell it.
    const calls = this.#unparsed.map((item) => this.#toolCall(item));
    const reason: FinishReason = this.#called ? "tool-calls" : this.#refused ? "refusal" : "stop";
    return [...calls, { type: "finish", reason, usage, model }];
  }
}

export async function* readResponsesAnswer(
  stream: AsyncIterable<ResponseStreamEvent>,
  context: { vendor: Vendor; usage: UsageSoFar; model: string },
): AsyncGenerator<ModelEvent, void, undefined> {
  const reader = new AnswerReader(context.vendor, context.usage, context.model);
  for await (const event of stream) yield* reader.read(event);
}
