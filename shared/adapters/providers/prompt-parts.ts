/** What all vendors' prompts share: results as text, files as a mention, tool input as an object. */
import type { Part } from "../../contract/message.ts";

/** The name of a file the model cannot see yet; silence about it would make the model guess. */
export const mentionOf = (part: Extract<Part, { type: "image" | "file" }>): string =>
  `[${part.type === "image" ? "Image" : "File"} "${part.name}" (${part.mediaType}) is attached but cannot be shown to you.]`;

/** A tool's output as the text a model reads. */
export function outputText(output: unknown): string {
  return typeof output === "string" ? output : (JSON.stringify(output) ?? "");
}

/** Vendors accept objects only; what a model once sent wrongly goes back labelled instead of failing the request. */
export function inputObject(input: unknown): Record<string, unknown> {
  if (typeof input === "object" && input !== null && !Array.isArray(input)) return { ...input };
  return input === undefined || input === null || input === "" ? {} : { invalid: input };
}

/**
 * The arguments a model wrote, complete. Text that is not JSON comes back as that text: the tool then tells the model
 * what is wrong, which mends more than a failed turn does.
 */
export function parseToolInput(text: string): unknown {
  if (text.trim() === "") return {};
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Arguments cut off by the output limit are not a call. */
export const isCompleteInput = (text: string): boolean =>
  text.trim() === "" || typeof parseToolInput(text) !== "string";
