import type { ConnectableKind } from "../../contract/provider.ts";
import type { ProviderRecord } from "../../domain/providers/provider-record.ts";
import type { ModelProvider } from "../../ports/model-provider.ts";
import { type Access, type AccessDeps, accessTo } from "./access.ts";
import { createAnthropicProvider } from "./anthropic/anthropic-provider.ts";
import { createChatCompletionsProvider } from "./chat-completions/chat-completions-provider.ts";
import { OPENAI_COMPATIBLE, OPENROUTER, ZAI } from "./chat-completions/chat-vendor.ts";
import { HIDDEN } from "./hide-secrets.ts";
import { createOllamaProvider } from "./ollama/ollama-provider.ts";
import { createOpenAiProvider } from "./openai/openai-provider.ts";

export interface OpenProviderDeps extends AccessDeps {
  /** Where this Mosaic is found. */
  publicUrl?: string | undefined;
}

type Open = (access: Access, publicUrl: string | undefined) => ModelProvider;

const OPENERS: Readonly<Record<ConnectableKind, Open>> = {
  anthropic: createAnthropicProvider,
  openai: createOpenAiProvider,
  openrouter: (access, publicUrl) => createChatCompletionsProvider(OPENROUTER, access, publicUrl),
  zai: (access, publicUrl) => createChatCompletionsProvider(ZAI, access, publicUrl),
  ollama: createOllamaProvider,
  "openai-compatible": (access, publicUrl) => createChatCompletionsProvider(OPENAI_COMPATIBLE, access, publicUrl),
};

/** The adapter of one instance. Cheap and without a secret: that is opened inside each call. */
export function openProvider(record: ProviderRecord, deps: OpenProviderDeps): ModelProvider {
  const provider = OPENERS[record.kind](accessTo(record, deps), deps.publicUrl);
  // A vendor that repeats the key as a model's id would have it stored.
  const models: ModelProvider["models"] = async (signal) =>
    (await provider.models(signal)).filter(({ id }) => !id.includes(HIDDEN));
  return { ...provider, models };
}
