/** Lines of Ollama's `/api/chat` in our words. */
import * as z from "zod";
import type { FinishReason } from "../../../contract/message.ts";
import { type ModelEvent, ProviderError } from "../../../ports/model-provider.ts";
import { failureOfErrorBody } from "../classify-failure.ts";
import { failureOf, type Vendor } from "../errors.ts";
import type { UsageSoFar } from "../run-stream.ts";
import { isJson, linesOf } from "./json-lines.ts";

const Count = z.int().nonnegative().catch(0);
const Line = z.object({
  model: z.string().optional().catch(undefined),
  message: z
    .object({
      content: z.string().nullish().catch(undefined),
      thinking: z.string().nullish().catch(undefined),
      tool_calls: z
        .array(
          z.object({
            id: z.string().nullish().catch(undefined),
            function: z.object({ name: z.string(), arguments: z.unknown() }),
          }),
        )
        .nullish()
        .catch(undefined),
    })
    .nullish(),
  done: z.boolean().optional(),
  done_reason: z.string().optional().catch(undefined),
  prompt_eval_count: Count,
  eval_count: Count,
  error: z.unknown().optional(),
});
type Line = z.infer<typeof Line>;

/** A tool's arguments are an object; older versions send them as text. */
function inputOf(args: unknown): unknown {
  if (typeof args !== "string") return args ?? {};
  return isJson(args) ? JSON.parse(args) : args;
}

export async function* readOllamaAnswer(
  body: ReadableStream<Uint8Array>,
  context: { vendor: Vendor; usage: UsageSoFar; model: string },
): AsyncGenerator<ModelEvent, void, undefined> {
  const { vendor, usage, model } = context;
  let thinking = false;
  let called = false;
  for await (const text of linesOf(body)) {
    const line: Line = Line.parse(JSON.parse(text));
    if (line.error) {
      throw new ProviderError(failureOfErrorBody(vendor, line.error, model) ?? failureOf("server_error", vendor));
    }
    const { content, thinking: thought, tool_calls: calls } = line.message ?? {};
    if (thought) {
      thinking = true;
      yield { type: "thinking-delta", text: thought };
    }
    if (thinking && (content || calls?.length || line.done)) {
      thinking = false;
      yield { type: "thinking-end" };
    }
    if (content) yield { type: "text-delta", text: content };
    for (const call of calls ?? []) {
      called = true;
      // Older versions give no ids; a result must find its call over many turns.
      const callId = call.id || `call_${crypto.randomUUID()}`;
      yield { type: "tool-call", callId, name: call.function.name, input: inputOf(call.function.arguments) };
    }
    if (line.done) {
      usage.current = { inputTokens: line.prompt_eval_count, outputTokens: line.eval_count, cachedTokens: 0 };
      const reason: FinishReason = line.done_reason === "length" ? "length" : called ? "tool-calls" : "stop";
      yield { type: "finish", reason, usage: usage.current, model: line.model || model };
      return;
    }
  }
}
