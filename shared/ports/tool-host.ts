import type { ToolDefinition } from "../domain/model/model-request.ts";
import type { ToolCall, ToolOutcome } from "../domain/turn/tool-call.ts";

export type { ToolDefinition } from "../domain/model/model-request.ts";
export type { ToolCall, ToolOutcome } from "../domain/turn/tool-call.ts";

export interface HostedTool extends ToolDefinition {
  /** Whether running it twice does no more than running it once: a call that was cut off is then simply repeated. */
  safeToRepeat: boolean;
  /** Whether a person must say yes before it runs. */
  needsApproval: boolean;
}

/** The tools that a model may use. */
export interface ToolHost {
  definitions(): HostedTool[];
  /**
   * Runs one call. Never throws: what goes wrong is an outcome with `isError` that the model can read. Its output is at
   * most 256 KiB. An aborted signal ends the work early; nobody reads the outcome then.
   */
  call(call: ToolCall, options: { signal: AbortSignal }): Promise<ToolOutcome>;
}
