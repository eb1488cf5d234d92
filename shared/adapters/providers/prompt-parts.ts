/** What all vendors' prompts share: results as text, images as bytes or a mention, tool input as an object. */
import type { PromptPart } from "../../ports/model-provider.ts";

/** What every vendor that sees can read. */
const IMAGE_TYPES = ["image/png", "image/jpeg", "image/gif", "image/webp"] as const;

export interface InlineImage {
  mediaType: (typeof IMAGE_TYPES)[number];
  /** Base64. */
  data: string;
}

/** An image that can be shown to the model; null for one that can only be mentioned. */
export function inlineImage(part: PromptPart): InlineImage | null {
  if (part.type !== "image" || !part.data) return null;
  const mediaType = IMAGE_TYPES.find((type) => type === part.mediaType);
  return mediaType ? { mediaType, data: part.data } : null;
}

/** As vendors that read URLs take it. */
export const dataUrl = ({ mediaType, data }: InlineImage): string => `data:${mediaType};base64,${data}`;

/** What a message says in words alone; what cannot be shown is mentioned. */
export const textIn = (parts: readonly PromptPart[]): string =>
  parts
    .flatMap((part) => {
      if (part.type === "text") return part.text === "" ? [] : [part.text];
      const isMentioned = part.type === "file" || (part.type === "image" && !inlineImage(part));
      return isMentioned ? [mentionOf(part)] : [];
    })
    .join("\n\n");

/** The name of a file the model cannot see; silence about it would make the model guess. */
export const mentionOf = (part: Extract<PromptPart, { type: "image" | "file" }>): string =>
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
