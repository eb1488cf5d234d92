import type { Message } from "../../contract/message.ts";
import type { Model, ProviderKind } from "../../contract/model.ts";
import type { ModelRequest, PromptMessage, PromptPart, ToolDefinition } from "../model/model-request.ts";

const CONTINUE =
  "Your last answer was cut off by a technical fault. Go on exactly where it ends, without repeating any of it and without remarking on the interruption.";

/** Thinking goes back only to the vendor that signed it; an empty text block is refused by several vendors. */
function portableParts(message: Message, { provider, capabilities, images }: RequestFacts): PromptPart[] {
  const sameVendor = message.metadata.provider === provider;
  return message.parts.flatMap((part): PromptPart[] => {
    if (part.type === "thinking")
      return sameVendor && (part.signature !== undefined || part.redacted !== undefined) ? [part] : [];
    if (part.type === "text") return part.text.trim() === "" ? [] : [part];
    const data = part.type === "image" && capabilities?.vision ? images?.get(part.fileId) : undefined;
    return part.type === "image" && data !== undefined ? [{ ...part, data }] : [part];
  });
}

/** The guide quotes documents in a voice of its own; a model must not take that for what it said itself. */
const isForeignGuide = (message: Message, target: ProviderKind): boolean =>
  message.role === "assistant" && message.metadata.provider === "guide" && target !== "guide";

/** Vendors refuse a call without its result and a result without its call: an answer that was cut short has such. */
function withAllResults(parts: readonly PromptPart[]): PromptPart[] {
  const called = new Set(parts.flatMap((part) => (part.type === "tool-call" ? [part.callId] : [])));
  const done = new Set(parts.flatMap((part) => (part.type === "tool-result" ? [part.callId] : [])));
  return parts.flatMap((part): PromptPart[] => {
    if (part.type === "tool-result") return called.has(part.callId) ? [part] : [];
    if (part.type !== "tool-call" || done.has(part.callId)) return [part];
    const { callId, step } = part;
    return [part, { type: "tool-result", callId, step, isError: true, output: "This call was not carried out." }];
  });
}

/** A request that offers no tools may not speak of calls: they are told in words. */
function toolsInWords(parts: readonly PromptPart[]): PromptPart[] {
  const names = new Map(parts.flatMap((part) => (part.type === "tool-call" ? [[part.callId, part.name]] : [])));
  return parts.flatMap((part): PromptPart[] => {
    if (part.type === "tool-call") return [];
    if (part.type !== "tool-result") return [part];
    const output = typeof part.output === "string" ? part.output : JSON.stringify(part.output);
    return [{ type: "text", text: `[Result of the tool ${names.get(part.callId) ?? ""}: ${output}]` }];
  });
}

/** Tool results belong to the user's side of the exchange at every vendor; they split an answer into its steps. */
function stepsOf(message: Message, parts: PromptPart[], hasTools: boolean): PromptMessage[] {
  if (message.role !== "assistant") return [{ role: "user", parts }];
  const paired = withAllResults(parts);
  const prompts: PromptMessage[] = [];
  for (const part of hasTools ? paired : toolsInWords(paired)) {
    const role = part.type === "tool-result" ? "user" : "assistant";
    const last = prompts.at(-1);
    if (last?.role === role) last.parts.push(part);
    else prompts.push({ role, parts: [part] });
  }
  return prompts;
}

/** Several messages of one side in a row are one message to a vendor. */
function merge(prompts: readonly PromptMessage[]): PromptMessage[] {
  const merged: PromptMessage[] = [];
  for (const prompt of prompts) {
    if (prompt.parts.length === 0) continue;
    const last = merged.at(-1);
    if (last?.role === prompt.role) last.parts.push(...prompt.parts);
    else merged.push({ role: prompt.role, parts: [...prompt.parts] });
  }
  return merged;
}

export interface RequestFacts {
  model: string;
  provider: ProviderKind;
  /** In the order in which they are told, the message to answer last; then the answer so far, if it has begun. */
  messages: readonly Message[];
  /** What the model can do; of a model that is not known to see, nobody asks to look. */
  capabilities?: Pick<Model["capabilities"], "vision" | "reasoning">;
  /** The bytes of images, in base64, by file. */
  images?: ReadonlyMap<string, string>;
  system?: string;
  maxOutputTokens?: number | null;
  /** Offered to the model; none are offered where this is left out. */
  tools?: readonly ToolDefinition[];
  /** The answer so far ends in the middle. */
  isCut?: boolean;
}

/**
 * History made portable to one vendor's model. A cut-off answer is continued by an instruction in the user's place:
 * newer models refuse an answer that is put into their mouth.
 */
export function buildRequest(facts: RequestFacts): ModelRequest {
  const tools = facts.tools ?? [];
  const prompts = facts.messages
    .filter((message) => !isForeignGuide(message, facts.provider))
    .flatMap((message) => stepsOf(message, portableParts(message, facts), tools.length > 0));
  const messages = merge(prompts);
  if (facts.isCut && messages.at(-1)?.role === "assistant") {
    messages.push({ role: "user", parts: [{ type: "text", text: CONTINUE }] });
  }
  return {
    model: facts.model,
    messages,
    ...(facts.capabilities === undefined ? {} : { canReason: facts.capabilities.reasoning }),
    ...(facts.system === undefined ? {} : { system: facts.system }),
    ...(tools.length === 0
      ? {}
      : { tools: tools.map(({ name, description, inputSchema }) => ({ name, description, inputSchema })) }),
    ...(facts.maxOutputTokens ? { maxOutputTokens: facts.maxOutputTokens } : {}),
  };
}
