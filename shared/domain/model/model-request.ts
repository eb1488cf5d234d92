import type { Part } from "../../contract/message.ts";

export interface ToolDefinition {
  name: string;
  description: string;
  /** JSON Schema of the input. */
  inputSchema: Record<string, unknown>;
}

/** A message as any vendor can be told it. History from another vendor comes without thinking signatures. */
export interface PromptMessage {
  role: "user" | "assistant";
  /** In a user message also `tool-result`s of the assistant message before it. */
  parts: Part[];
}

export interface ModelRequest {
  model: string;
  system?: string;
  messages: PromptMessage[];
  tools?: ToolDefinition[];
  maxOutputTokens?: number;
  temperature?: number;
  /** Ask for visible reasoning where the model has it. */
  reasoning?: "off" | "low" | "medium" | "high";
}
