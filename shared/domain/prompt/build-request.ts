import type { Message, Part } from "../../contract/message.ts";
import type { ProviderKind } from "../../contract/model.ts";
import type { ModelRequest, PromptMessage } from "../model/model-request.ts";

const CONTINUE =
  "Your last answer was cut off by a technical fault. Go on exactly where it ends, without repeating any of it and without remarking on the interruption.";

/** Each answer behind the message it answers: messages that waited in the queue stand before answers in the log. */
export function inAnswerOrder(messages: readonly Message[]): Message[] {
  const answers = new Map<string, Message[]>();
  const questions = new Set(messages.filter((message) => message.role === "user").map((message) => message.id));
  const rest: Message[] = [];
  for (const message of messages) {
    const replyTo = message.role === "assistant" ? message.metadata.replyTo : undefined;
    if (replyTo !== undefined && questions.has(replyTo))
      answers.set(replyTo, [...(answers.get(replyTo) ?? []), message]);
    else rest.push(message);
  }
  return rest.flatMap((message) => [message, ...(answers.get(message.id) ?? [])]);
}

/**
 * What a turn answers: the path in the order of question and answer, without the questions that wait behind its own.
 * The last message is the one to answer.
 */
export function historyFor(path: readonly Message[], replyTo: string): Message[] {
  const answered = new Set(path.flatMap((message) => message.metadata.replyTo ?? []));
  const at = path.findIndex((message) => message.id === replyTo);
  const waiting = new Set(
    path.slice(at + 1).flatMap((message) => (message.role === "user" && !answered.has(message.id) ? message.id : [])),
  );
  return inAnswerOrder(path.filter((message) => !waiting.has(message.id)));
}

/** Thinking goes back only to the vendor that signed it; an empty text block is refused by several vendors. */
function portableParts(message: Message, target: ProviderKind): Part[] {
  const sameVendor = message.metadata.provider === target;
  return message.parts.filter((part) => {
    if (part.type === "thinking") return sameVendor && (part.signature !== undefined || part.redacted !== undefined);
    if (part.type === "text") return part.text.trim() !== "";
    return true;
  });
}

/** The guide quotes documents in a voice of its own; a model must not take that for what it said itself. */
const isForeignGuide = (message: Message, target: ProviderKind): boolean =>
  message.role === "assistant" && message.metadata.provider === "guide" && target !== "guide";

/** Tool results belong to the user's side of the exchange at every vendor; they split an answer into its steps. */
function stepsOf(message: Message, parts: Part[]): PromptMessage[] {
  if (message.role !== "assistant") return [{ role: "user", parts }];
  const prompts: PromptMessage[] = [];
  for (const part of parts) {
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
  /** The chosen part of the history, the message to answer among it. */
  messages: readonly Message[];
  /** The message to answer; what was queued behind it is left for its own turn. */
  replyTo: string;
  system?: string;
  maxOutputTokens?: number | null;
  /** What of the answer was already shown before it was cut off. */
  partial?: readonly Part[];
}

/**
 * History made portable to one vendor's model. A cut-off answer is continued by an instruction in the user's place:
 * newer models refuse an answer that is put into their mouth.
 */
export function buildRequest(facts: RequestFacts): ModelRequest {
  const history = historyFor(facts.messages, facts.replyTo).filter(
    (message) => !isForeignGuide(message, facts.provider),
  );
  const prompts = history.flatMap((message) => stepsOf(message, portableParts(message, facts.provider)));
  if (facts.partial && facts.partial.length > 0) {
    const shown = facts.partial.filter((part) => part.type === "text" && part.text.trim() !== "");
    prompts.push({ role: "assistant", parts: [...shown] });
    prompts.push({ role: "user", parts: [{ type: "text", text: CONTINUE }] });
  }
  return {
    model: facts.model,
    messages: merge(prompts),
    ...(facts.system === undefined ? {} : { system: facts.system }),
    ...(facts.maxOutputTokens ? { maxOutputTokens: facts.maxOutputTokens } : {}),
  };
}
