import type { FinishReason, Usage } from "../../contract/message.ts";
import type { ProviderFailure } from "./provider-failure.ts";

/**
 * One event of a stream. The last one is `finish` or `failure`, exactly once.
 * A tool call's input is complete at `tool-call`; its deltas before that are for showing.
 */
export type ModelEvent =
  | { type: "text-delta"; text: string }
  | { type: "thinking-delta"; text: string }
  | { type: "thinking-end"; signature?: string; redacted?: string }
  | { type: "tool-input-delta"; callId: string; name: string; text: string }
  | { type: "tool-call"; callId: string; name: string; input: unknown }
  | { type: "finish"; reason: FinishReason; usage: Usage; model: string; costMicroUsd?: number }
  | { type: "failure"; failure: ProviderFailure; usage?: Usage };
