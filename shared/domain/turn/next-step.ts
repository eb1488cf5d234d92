import type { Part } from "../../contract/message.ts";
import { callsOf, openCalls, type ToolCallPart } from "./tool-call.ts";

/** A model that calls tools for ever is stopped here. */
export const MAX_STEPS = 32;

export type NextStep =
  /** The model asked for these and they have no results yet. */
  | { kind: "run-tools"; calls: ToolCallPart[] }
  /** The model goes on: it reads the results, or a message that came meanwhile. */
  | { kind: "step" }
  | { kind: "finish" }
  /** The end, though the model wanted more. */
  | { kind: "too-many"; why: string };

/** What follows after a model's stream has finished, or after its tools have run. */
export function nextStep(facts: { parts: readonly Part[]; step: number; steeringWaits: boolean }): NextStep {
  const { parts, step, steeringWaits } = facts;
  const calls = openCalls(parts, step);
  if (calls.length > 0) return { kind: "run-tools", calls };
  const called = callsOf(parts, step).length > 0;
  if (step + 1 < MAX_STEPS) return called || steeringWaits ? { kind: "step" } : { kind: "finish" };
  // A message that waits gets a turn of its own.
  if (!called) return { kind: "finish" };
  return { kind: "too-many", why: `The model used tools ${MAX_STEPS} times without coming to an end.` };
}
