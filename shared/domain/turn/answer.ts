import type { Part } from "../../contract/message.ts";
import type { ModelEvent } from "../model/model-event.ts";

/** The answer so far: its parts, and which one is being written. */
export interface Answer {
  parts: Part[];
  /** Index of the part that grows, null when the next delta opens a new one. */
  open: number | null;
  /** Shown input of tool calls that are not complete yet, by the vendor's call id, which may be any string. */
  toolInputs: Map<string, { part: number; text: string }>;
}

export interface AnswerDelta {
  part: number;
  kind: "text" | "thinking" | "tool-input";
  /** UTF-16 units of that part that were there before. */
  offset: number;
  text: string;
}

export const emptyAnswer = (): Answer => ({ parts: [], open: null, toolInputs: new Map() });

/** An answer that goes on after a restart: what is there stays, new text opens a new part. */
export const resumedAnswer = (parts: Part[]): Answer => ({ parts: [...parts], open: null, toolInputs: new Map() });

/** UTF-16 units of all that the model wrote. */
export const answerLength = ({ parts, toolInputs }: Answer): number =>
  parts.reduce((sum, part) => sum + ("text" in part ? part.text.length : 0), 0) +
  [...toolInputs.values()].reduce((sum, shown) => sum + shown.text.length, 0);

/** Whether anything was shown that a silent restart would take away. */
export const hasText = (parts: readonly Part[]): boolean =>
  parts.some((part) => part.type === "text" && part.text.length > 0);

/** Whether there is anything that must not be lost: words, or tools that ran. */
export const hasOutput = (parts: readonly Part[]): boolean =>
  hasText(parts) || parts.some((part) => part.type === "tool-result");

/** Calls whose input never became complete are no calls. @returns whether there were any */
export function dropUnfinishedCalls(answer: Answer): boolean {
  const unfinished = new Set([...answer.toolInputs.values()].map((shown) => shown.part));
  answer.parts = answer.parts.filter((_part, index) => !unfinished.has(index));
  answer.toolInputs = new Map();
  answer.open = null;
  return unfinished.size > 0;
}

type Content = Exclude<ModelEvent, { type: "finish" | "failure" }>;

/**
 * Adds one event of a stream to the answer, in place: an answer can be long and a copy per token would make it
 * quadratic. Returns what to tell those who watch.
 */
export function addToAnswer(answer: Answer, event: Content, step: number): AnswerDelta | null {
  switch (event.type) {
    case "text-delta":
      return grow(answer, "text", event.text);
    case "thinking-delta":
      return grow(answer, "thinking", event.text);
    case "thinking-end":
      closeThinking(answer, event);
      return null;
    case "tool-input-delta":
      return growToolInput(answer, event, step);
    case "tool-call":
      completeToolCall(answer, event, step);
      return null;
  }
}

function grow(answer: Answer, kind: "text" | "thinking", text: string): AnswerDelta | null {
  if (text === "") return null;
  const open = answer.open === null ? undefined : answer.parts[answer.open];
  if (open && open.type === kind && answer.open !== null) {
    const offset = open.text.length;
    open.text += text;
    return { part: answer.open, kind, offset, text };
  }
  answer.parts.push({ type: kind, text });
  answer.open = answer.parts.length - 1;
  return { part: answer.open, kind, offset: 0, text };
}

function closeThinking(answer: Answer, end: { signature?: string; redacted?: string }): void {
  const open = answer.open === null ? undefined : answer.parts[answer.open];
  const proof = {
    ...(end.signature === undefined ? {} : { signature: end.signature }),
    ...(end.redacted === undefined ? {} : { redacted: end.redacted }),
  };
  if (open?.type === "thinking") Object.assign(open, proof);
  else if (Object.keys(proof).length > 0) answer.parts.push({ type: "thinking", text: "", ...proof });
  answer.open = null;
}

const USABLE_CALL_ID = /^[\w-]{1,64}$/;
/** Calls are looked up by their ids: one that every object has by birth would pass for a call that is known. */
const isUsable = (id: string): boolean => USABLE_CALL_ID.test(id) && !Object.hasOwn(Object.prototype, id);

/** Some vendors count their calls anew in every step, or send ids that others refuse; ours are unique in the answer. */
function callIdFor(parts: readonly Part[], told: string): string {
  const taken = new Set(parts.flatMap((part) => (part.type === "tool-call" ? [part.callId] : [])));
  const wanted = isUsable(told) ? told : "call";
  if (wanted === told && !taken.has(told)) return told;
  let callId = wanted;
  for (let n = parts.length; taken.has(callId) || callId === wanted; n++) callId = `${wanted.slice(0, 50)}-${n}`;
  return callId;
}

function growToolInput(
  answer: Answer,
  event: { callId: string; name: string; text: string },
  step: number,
): AnswerDelta | null {
  let shown = answer.toolInputs.get(event.callId);
  if (!shown) {
    const callId = callIdFor(answer.parts, event.callId);
    answer.parts.push({ type: "tool-call", callId, name: event.name, input: null, step });
    shown = { part: answer.parts.length - 1, text: "" };
    answer.toolInputs.set(event.callId, shown);
    answer.open = null;
  }
  if (event.text === "") return null;
  const offset = shown.text.length;
  shown.text += event.text;
  return { part: shown.part, kind: "tool-input", offset, text: event.text };
}

function completeToolCall(answer: Answer, call: { callId: string; name: string; input: unknown }, step: number): void {
  const shown = answer.toolInputs.get(call.callId);
  const begun = shown ? answer.parts[shown.part] : undefined;
  const callId = begun?.type === "tool-call" ? begun.callId : callIdFor(answer.parts, call.callId);
  const part: Part = { type: "tool-call", callId, name: call.name, input: call.input ?? {}, step };
  if (shown) answer.parts[shown.part] = part;
  else answer.parts.push(part);
  answer.toolInputs.delete(call.callId);
  answer.open = null;
}
