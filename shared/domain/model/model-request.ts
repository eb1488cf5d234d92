import type { Part } from "../../contract/message.ts";

export interface ToolDefinition {
  name: string;
  description: string;
  /** JSON Schema of the input. */
  inputSchema: Record<string, unknown>;
}

type ImagePart = Extract<Part, { type: "image" }>;

/** A part as a vendor is told it: an image with its bytes, where they are at hand and the model sees. */
export type PromptPart =
  | Exclude<Part, ImagePart>
  | (ImagePart & {
      /** Base64; without it the image is told by its name. */
      data?: string;
    });

/** A message as any vendor can be told it. History from another vendor comes without thinking signatures. */
export interface PromptMessage {
  role: "user" | "assistant";
  /** In a user message also `tool-result`s of the assistant message before it. */
  parts: PromptPart[];
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
  /** Whether this model is known to reason; where it is not said, the adapter looks at its seeds. */
  canReason?: boolean;
}
