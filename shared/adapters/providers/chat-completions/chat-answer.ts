/** Chunks of a chat completion in our words, read forgivingly: vendors differ in what they fill. */
import * as z from "zod";
import type { FinishReason, Usage } from "../../../contract/message.ts";
import type { ModelEvent } from "../../../ports/model-provider.ts";
import { failureOf, type Vendor } from "../errors.ts";
import { isCompleteInput, parseToolInput } from "../prompt-parts.ts";
import type { UsageSoFar } from "../run-stream.ts";
import type { ChatVendor } from "./chat-vendor.ts";

const FINISH_REASONS: Readonly<Record<string, FinishReason>> = {
  stop: "stop",
  length: "length",
  tool_calls: "tool-calls",
  function_call: "tool-calls",
  content_filter: "refusal",
  sensitive: "refusal",
};
/** The vendor says that its own machinery failed. */
const FAILED_REASONS: ReadonlySet<string> = new Set(["network_error", "error"]);

const Count = z.int().nonnegative().catch(0);
const ToolCallDelta = z.object({
  index: z.int().optional().catch(undefined),
  id: z.string().nullish().catch(undefined),
  function: z
    .object({
      name: z.string().nullish(),
      arguments: z.union([z.string(), z.record(z.string(), z.unknown())]).nullish(),
    })
    .nullish(),
});
type ToolCallDelta = z.infer<typeof ToolCallDelta>;

const Chunk = z.object({
  model: z.string().optional().catch(undefined),
  choices: z
    .array(
      z.object({
        delta: z
          .looseObject({
            content: z.string().nullish().catch(undefined),
            refusal: z.string().nullish().catch(undefined),
            tool_calls: z.array(ToolCallDelta).nullish().catch(undefined),
          })
          .nullish(),
        finish_reason: z.string().nullish(),
      }),
    )
    .nullish()
    .catch([]),
  usage: z
    .object({
      prompt_tokens: Count,
      completion_tokens: Count,
      prompt_tokens_details: z.object({ cached_tokens: Count }).nullish().catch(undefined),
      cost: z.number().nonnegative().optional().catch(undefined),
    })
    .nullish()
    .catch(undefined),
});
type Chunk = z.infer<typeof Chunk>;

interface PendingCall {
  callId: string;
  name: string;
  json: string;
}

class AnswerReader {
  readonly #record: ChatVendor;
  readonly #vendor: Vendor;
  readonly #usage: UsageSoFar;
  readonly #calls = new Map<number, PendingCall>();
  #model: string;
  #reason: string | undefined;
  #refused = false;
  #thinking = false;
  #cost: number | undefined;

  constructor(record: ChatVendor, vendor: Vendor, usage: UsageSoFar, model: string) {
    this.#record = record;
    this.#vendor = vendor;
    this.#usage = usage;
    this.#model = model;
  }

  read(chunk: Chunk): ModelEvent[] {
    this.#model = chunk.model || this.#model;
    if (chunk.usage) this.#count(chunk.usage);
    const choice = chunk.choices?.[0];
    if (!choice) return [];
    this.#reason = choice.finish_reason ?? this.#reason;
    const { delta } = choice;
    if (!delta) return [];
    const events: ModelEvent[] = [];
    const reasoning = this.#record.reasoningFields
      .map((field) => delta[field])
      .find((text) => typeof text === "string" && text !== "");
    if (typeof reasoning === "string") {
      this.#thinking = true;
      events.push({ type: "thinking-delta", text: reasoning });
    }
    const text = delta.content || delta.refusal;
    if (delta.refusal) this.#refused = true;
    if (text || delta.tool_calls?.length) events.push(...this.#endThinking());
    if (text) events.push({ type: "text-delta", text });
    for (const [position, call] of (delta.tool_calls ?? []).entries()) events.push(...this.#toolDelta(call, position));
    return events;
  }

  #count(counts: NonNullable<Chunk["usage"]>): void {
    this.#cost = counts.cost ?? this.#cost;
    this.#usage.current = {
      inputTokens: counts.prompt_tokens,
      outputTokens: counts.completion_tokens,
      cachedTokens: Math.min(counts.prompt_tokens_details?.cached_tokens ?? 0, counts.prompt_tokens),
    };
  }

  #endThinking(): ModelEvent[] {
    if (!this.#thinking) return [];
    this.#thinking = false;
    return [{ type: "thinking-end" }];
  }

  #toolDelta(delta: ToolCallDelta, position: number): ModelEvent[] {
    const index = delta.index ?? position;
    let call = this.#calls.get(index);
    if (!call) {
      call = { callId: delta.id || `call_${crypto.randomUUID()}`, name: "", json: "" };
      this.#calls.set(index, call);
    }
    call.name ||= delta.function?.name ?? "";
    const piece = delta.function?.arguments;
    const text = typeof piece === "object" && piece !== null ? JSON.stringify(piece) : (piece ?? "");
    call.json += text;
    return text === "" ? [] : [{ type: "tool-input-delta", callId: call.callId, name: call.name, text }];
  }

  /** What the end of the stream means; nothing where it came too early. */
  end(): ModelEvent[] {
    const told = this.#reason;
    if (told === undefined) return [];
    if (FAILED_REASONS.has(told)) return [{ type: "failure", failure: failureOf("server_error", this.#vendor) }];
    const events = this.#endThinking();
    const known = FINISH_REASONS[told] ?? "stop";
    const calls = [...this.#calls.values()].filter((call) => known !== "length" || isCompleteInput(call.json));
    for (const { callId, name, json } of calls)
      events.push({ type: "tool-call", callId, name, input: parseToolInput(json) });
    const reason: FinishReason =
      known !== "stop" ? known : calls.length > 0 ? "tool-calls" : this.#refused ? "refusal" : "stop";
    const usage: Usage = this.#usage.current ?? { inputTokens: 0, outputTokens: 0, cachedTokens: 0 };
    const cost = this.#cost === undefined ? {} : { costMicroUsd: Math.round(this.#cost * 1_000_000) };
    return [...events, { type: "finish", reason, usage, model: this.#model, ...cost }];
  }
}

export async function* readChatAnswer(
  stream: AsyncIterable<unknown>,
  context: { record: ChatVendor; vendor: Vendor; usage: UsageSoFar; model: string },
): AsyncGenerator<ModelEvent, void, undefined> {
  const reader = new AnswerReader(context.record, context.vendor, context.usage, context.model);
  for await (const chunk of stream) yield* reader.read(Chunk.parse(chunk));
  yield* reader.end();
}
