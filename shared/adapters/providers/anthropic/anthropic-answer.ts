/** Anthropic's stream in our words. Events and blocks it does not know are passed over. */
import type { RawMessageStreamEvent } from "@anthropic-ai/sdk/resources/messages/messages";
import type { FinishReason, Usage } from "../../../contract/message.ts";
import type { ModelEvent } from "../../../ports/model-provider.ts";
import { isCompleteInput, parseToolInput } from "../prompt-parts.ts";
import type { UsageSoFar } from "../run-stream.ts";

const FINISH_REASONS: Readonly<Record<string, FinishReason>> = {
  end_turn: "stop",
  stop_sequence: "stop",
  pause_turn: "stop",
  tool_use: "tool-calls",
  max_tokens: "length",
  model_context_window_exceeded: "length",
  refusal: "refusal",
};

type Block =
  | { type: "thinking"; signature: string }
  | { type: "redacted"; data: string }
  | { type: "tool"; callId: string; name: string; json: string; input: unknown };

interface Counts {
  input_tokens?: number | null;
  output_tokens?: number | null;
  cache_read_input_tokens?: number | null;
  cache_creation_input_tokens?: number | null;
}

/** Anthropic counts cached tokens beside the others; we count them inside. */
class Tally {
  #input = 0;
  #read = 0;
  #written = 0;
  #output = 0;

  add(counts: Counts | null | undefined): Usage {
    this.#input = counts?.input_tokens ?? this.#input;
    this.#read = counts?.cache_read_input_tokens ?? this.#read;
    this.#written = counts?.cache_creation_input_tokens ?? this.#written;
    this.#output = counts?.output_tokens ?? this.#output;
    return {
      inputTokens: this.#input + this.#read + this.#written,
      outputTokens: this.#output,
      cachedTokens: this.#read,
    };
  }
}

function openBlock(event: Extract<RawMessageStreamEvent, { type: "content_block_start" }>): Block | undefined {
  const block = event.content_block;
  if (block.type === "thinking") return { type: "thinking", signature: block.signature ?? "" };
  if (block.type === "redacted_thinking") return { type: "redacted", data: block.data };
  if (block.type === "tool_use")
    return { type: "tool", callId: block.id, name: block.name, json: "", input: block.input };
  return undefined;
}

function readDelta(
  event: Extract<RawMessageStreamEvent, { type: "content_block_delta" }>,
  block: Block | undefined,
): ModelEvent | undefined {
  const { delta } = event;
  switch (delta.type) {
    case "text_delta":
      return { type: "text-delta", text: delta.text };
    case "thinking_delta":
      return { type: "thinking-delta", text: delta.thinking };
    case "signature_delta":
      if (block?.type === "thinking") block.signature += delta.signature;
      return undefined;
    case "input_json_delta":
      if (block?.type !== "tool" || delta.partial_json === "") return undefined;
      block.json += delta.partial_json;
      return { type: "tool-input-delta", callId: block.callId, name: block.name, text: delta.partial_json };
    default:
      return undefined;
  }
}

function closeBlock(block: Block): ModelEvent | undefined {
  if (block.type === "thinking")
    return { type: "thinking-end", ...(block.signature ? { signature: block.signature } : {}) };
  if (block.type === "redacted") return { type: "thinking-end", redacted: block.data };
  if (!isCompleteInput(block.json)) return undefined;
  const input = block.json === "" ? (block.input ?? {}) : parseToolInput(block.json);
  return { type: "tool-call", callId: block.callId, name: block.name, input };
}

export async function* readAnthropicAnswer(
  stream: AsyncIterable<RawMessageStreamEvent>,
  usage: UsageSoFar,
  requestedModel: string,
): AsyncGenerator<ModelEvent, void, undefined> {
  const blocks = new Map<number, Block>();
  /** Calls whose arguments were not JSON: cut off by the limit, or truly wrong; the finish reason tells. */
  const unparsed: Extract<Block, { type: "tool" }>[] = [];
  const tally = new Tally();
  let model = requestedModel;
  let reason: FinishReason | undefined;
  for await (const event of stream) {
    if (event.type === "content_block_delta") {
      const out = readDelta(event, blocks.get(event.index));
      if (out) yield out;
    } else if (event.type === "message_start") {
      model = event.message.model || model;
      usage.current = tally.add(event.message.usage);
    } else if (event.type === "content_block_start") {
      const block = openBlock(event);
      if (block) blocks.set(event.index, block);
      const { content_block: start } = event;
      if (start.type === "text" && start.text) yield { type: "text-delta", text: start.text };
      if (start.type === "thinking" && start.thinking) yield { type: "thinking-delta", text: start.thinking };
    } else if (event.type === "content_block_stop") {
      const block = blocks.get(event.index);
      const out = block && closeBlock(block);
      if (out) yield out;
      else if (block?.type === "tool") unparsed.push(block);
      blocks.delete(event.index);
    } else if (event.type === "message_delta") {
      usage.current = tally.add(event.usage);
      if (event.delta.stop_reason) reason = FINISH_REASONS[event.delta.stop_reason] ?? "stop";
    } else if (event.type === "message_stop") {
      break;
    }
  }
  // Without a reason the stream ended before its end: the caller calls that cut.
  if (reason === undefined) return;
  if (reason !== "length") {
    for (const { callId, name, json } of unparsed) yield { type: "tool-call", callId, name, input: json };
  }
  yield { type: "finish", reason, usage: usage.current ?? tally.add(undefined), model };
}
