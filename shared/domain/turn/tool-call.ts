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

const bytesOf = (value: unknown): number => new TextEncoder().encode(JSON.stringify(value) ?? "").byteLength;

/** An outcome that can be stored; one that is too large says so to the model instead. */
export function boundedOutcome(outcome: ToolOutcome, parts: readonly Part[]): ToolOutcome {
  const used = parts.reduce((sum, part) => sum + (part.type === "tool-result" ? bytesOf(part.output) : 0), 0);
  const room = Math.min(MAX_TOOL_OUTPUT_BYTES, MAX_TURN_OUTPUT_BYTES - used);
  if (bytesOf(outcome.output) <= room) return { output: outcome.output ?? null, isError: outcome.isError };
  return { isError: true, output: "The result was too large to be shown; ask for less of it." };
}

/** The calls of one step, in the order in which the model made them. */
export const callsOf = (parts: readonly Part[], step: number): ToolCallPart[] =>
  parts.filter((part): part is ToolCallPart => part.type === "tool-call" && part.step === step);

/** Those of them that have no result yet. */
export function openCalls(parts: readonly Part[], step: number): ToolCallPart[] {
  const done = new Set(parts.flatMap((part) => (part.type === "tool-result" ? [part.callId] : [])));
  return callsOf(parts, step).filter((call) => !done.has(call.callId));
}
