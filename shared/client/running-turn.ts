import type { DeltaFrame } from "../contract/frames.ts";
import type { Part } from "../contract/message.ts";
import type { RunningTurn } from "./view-state.ts";

type ToolCallPart = Extract<Part, { type: "tool-call" }>;

function newPart(kind: DeltaFrame["kind"], text: string): Part {
  if (kind === "tool-input") return { type: "tool-call", callId: "", name: "", input: text, step: 0 };
  return { type: kind, text };
}

/** The text of a part that a delta of this kind continues; null where the part is of another kind. */
function growingText(part: Part, kind: DeltaFrame["kind"]): string | null {
  if (part.type === "tool-call" && kind === "tool-input") return typeof part.input === "string" ? part.input : null;
  return (part.type === "text" || part.type === "thinking") && part.type === kind ? part.text : null;
}

function grown(part: Part, text: string): Part {
  if (part.type === "tool-call") return { ...part, input: text };
  return part.type === "text" || part.type === "thinking" ? { ...part, text } : part;
}

const misfit = (running: RunningTurn, delta: DeltaFrame): RunningTurn =>
  // The whole input of a call comes with `tool:requested`; only missing words need a snapshot.
  delta.kind === "tool-input" || running.awaitingSnapshot ? running : { ...running, awaitingSnapshot: true };

/**
 * Adds a delta where it belongs. One that was applied already changes nothing, one that overlaps adds what is new, one
 * that does not fit waits for the next snapshot, and so does everything after it.
 */
export function applyDelta(running: RunningTurn, delta: DeltaFrame): RunningTurn {
  if (delta.turnId !== running.turnId || running.awaitingSnapshot) return running;
  const { parts } = running;
  const part = parts[delta.part];
  if (part === undefined) {
    if (delta.part < 0 || delta.part > 10_000 || delta.offset !== 0) return misfit(running, delta);
    // Parts without words (redacted thinking) send no delta: their places stay empty.
    const padding = Array.from({ length: delta.part - parts.length }, (): Part => ({ type: "thinking", text: "" }));
    return { ...running, parts: [...parts, ...padding, newPart(delta.kind, delta.text)] };
  }
  const text = growingText(part, delta.kind);
  if (text === null || delta.offset > text.length || delta.offset < 0) return misfit(running, delta);
  const overlap = text.slice(delta.offset, delta.offset + delta.text.length);
  if (!delta.text.startsWith(overlap)) return misfit(running, delta);
  const rest = delta.text.slice(overlap.length);
  return rest === "" ? running : { ...running, parts: parts.with(delta.part, grown(part, text + rest)) };
}

/** A call as it was requested replaces its shown input, or joins the answer. */
export function withToolCall(parts: Part[], call: Omit<ToolCallPart, "type">): Part[] {
  const part: ToolCallPart = { type: "tool-call", ...call };
  const shown = parts.findIndex((p) => p.type === "tool-call" && (p.callId === call.callId || p.callId === ""));
  return shown === -1 ? [...parts, part] : parts.with(shown, part);
}

export function withToolResult(parts: Part[], callId: string, outcome: { output: unknown; isError: boolean }): Part[] {
  if (parts.some((part) => part.type === "tool-result" && part.callId === callId)) return parts;
  const call = parts.find((part) => part.type === "tool-call" && part.callId === callId);
  const step = call?.type === "tool-call" ? call.step : 0;
  return [...parts, { type: "tool-result", callId, ...outcome, step }];
}
