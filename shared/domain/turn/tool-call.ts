import type { Part } from "../../contract/message.ts";

/** What a model wants done. `input` is whatever the model wrote. */
export interface ToolCall {
  callId: string;
  name: string;
  input: unknown;
}

export interface ToolOutcome {
  output: unknown;
  isError: boolean;
}

export type ToolCallPart = Extract<Part, { type: "tool-call" }>;

/** UTF-8 bytes of one result as JSON. */
export const MAX_TOOL_OUTPUT_BYTES = 256 * 1024;
/** Of all results of one turn: the answer is one row of the object's SQLite, which holds 2 MB. */
export const MAX_TURN_OUTPUT_BYTES = 384 * 1024;

const bytesOf = (json: string): number => new TextEncoder().encode(json).byteLength;

function jsonOf(value: unknown): string | null {
  try {
    return JSON.stringify(value ?? null);
  } catch {
    return null;
  }
}

/** An outcome that can be stored; one that is too large, or no data at all, says so to the model instead. */
export function boundedOutcome(outcome: ToolOutcome, parts: readonly Part[]): ToolOutcome {
  const json = jsonOf(outcome.output);
  if (json === null) return { isError: true, output: "The tool brought something that cannot be shown." };
  const results = parts.flatMap((part) => (part.type === "tool-result" ? [jsonOf(part.output) ?? ""] : []));
  const used = results.reduce((sum, each) => sum + bytesOf(each), 0);
  if (bytesOf(json) > Math.min(MAX_TOOL_OUTPUT_BYTES, MAX_TURN_OUTPUT_BYTES - used))
    return { isError: true, output: "The result was too large to be shown; ask for less of it." };
  return { output: JSON.parse(json), isError: outcome.isError };
}

/** The calls of one step, in the order in which the model made them. */
export const callsOf = (parts: readonly Part[], step: number): ToolCallPart[] =>
  parts.filter((part): part is ToolCallPart => part.type === "tool-call" && part.step === step);

/** Those of them that have no result yet. */
export function openCalls(parts: readonly Part[], step: number): ToolCallPart[] {
  const done = new Set(parts.flatMap((part) => (part.type === "tool-result" ? [part.callId] : [])));
  return callsOf(parts, step).filter((call) => !done.has(call.callId));
}
