/** Lines of Ollama's `/api/chat` in our words. */
import * as z from "zod";
import type { FinishReason } from "../../../contract/message.ts";
import { type ModelEvent, ProviderError } from "../../../ports/model-provider.ts";
import { failureOf, failureOfErrorBody, type Vendor } from "../errors.ts";
import type { UsageSoFar } from "../run-stream.ts";

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

/** A line longer than this is not Ollama's. */
const MAX_LINE_LENGTH = 16 * 1024 * 1024;

async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > MAX_LINE_LENGTH) throw new Error("A line without end.");
      for (const line of lines) if (line.trim() !== "") yield line;
    }
  } finally {
    await reader.cancel();
  }
  // A last line may lack its newline; one that was cut off is no JSON and says nothing.
  if (isJson(rest)) yield rest;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

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
