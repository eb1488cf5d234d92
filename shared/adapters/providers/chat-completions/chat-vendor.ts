/** What differs between vendors that speak OpenAI's chat completions. A new one is a new record, not new code. */
import type { ConnectableKind } from "../../../contract/provider.ts";

export interface ChatVendor {
  kind: ConnectableKind;
  headers: Readonly<Record<string, string>>;
  /** The header that names this installation's address, where the vendor shows it to the account's owner. */
  refererHeader: string | null;
  maxTokensField: "max_tokens" | "max_completion_tokens";
  maxTemperature: number;
  /** Fields of a delta that may carry visible reasoning, the first one filled counts. */
  reasoningFields: readonly string[];
  /** The field of an assistant message in which its reasoning goes back, where the vendor wants it. */
  replayReasoningField: string | null;
  /** How reasoning is asked for: `{reasoning: {effort}}`, `{thinking: {type}}` or not at all. */
  reasoningSwitch: "effort" | "thinking" | null;
  /** `GET /models` as OpenAI lists, as OpenRouter does with all facts, or not there: then the catalogue's seed counts. */
  modelList: "ids" | "facts" | "seed";
  /**
   * Where a key is asked after, for a vendor that shows its list to everybody; `unknown` where the list may be open and
   * nothing else is sure to be there. Null: the list needs the key.
   */
  keyCheck: "/key" | "unknown" | null;
  extraBody: Readonly<Record<string, unknown>>;
}

export const OPENROUTER: ChatVendor = {
  kind: "openrouter",
  headers: { "x-title": "Mosaic" },
  refererHeader: "http-referer",
  maxTokensField: "max_tokens",
  maxTemperature: 2,
  reasoningFields: ["reasoning", "reasoning_content"],
  replayReasoningField: null,
  reasoningSwitch: "effort",
  modelList: "facts",
  keyCheck: "/key",
  extraBody: { usage: { include: true } },
};

export const ZAI: ChatVendor = {
  kind: "zai",
  headers: {},
  refererHeader: null,
  maxTokensField: "max_tokens",
  maxTemperature: 1,
  reasoningFields: ["reasoning_content"],
  replayReasoningField: "reasoning_content",
  reasoningSwitch: "thinking",
  modelList: "seed",
  keyCheck: null,
  extraBody: {},
};

/** LM Studio, vLLM, llama.cpp, LiteLLM and whoever else speaks it: nothing is assumed that any of them refuses. */
export const OPENAI_COMPATIBLE: ChatVendor = {
  kind: "openai-compatible",
  headers: {},
  refererHeader: null,
  maxTokensField: "max_tokens",
  maxTemperature: 2,
  reasoningFields: ["reasoning_content", "reasoning"],
  replayReasoningField: null,
  reasoningSwitch: null,
  modelList: "ids",
  keyCheck: "unknown",
  extraBody: {},
};
