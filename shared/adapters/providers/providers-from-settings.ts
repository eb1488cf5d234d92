import type { ProviderKind } from "../../contract/model.ts";
import type { ModelProvider } from "../../ports/model-provider.ts";
import { createAnthropicProvider } from "./anthropic/anthropic-provider.ts";
import { createChatCompletionsProvider } from "./chat-completions/chat-completions-provider.ts";
import { OPENROUTER, ZAI } from "./chat-completions/chat-vendor.ts";
import { createOllamaProvider } from "./ollama/ollama-provider.ts";
import { createOpenAiProvider } from "./openai/openai-provider.ts";
import type { Fetch } from "./watched-fetch.ts";

type Setting = string | undefined;

/** The part of the environment this needs. */
export interface ProviderSettings {
  ANTHROPIC_API_KEY?: Setting;
  ANTHROPIC_BASE_URL?: Setting;
  OPENAI_API_KEY?: Setting;
  OPENAI_BASE_URL?: Setting;
  OPENROUTER_API_KEY?: Setting;
  OPENROUTER_BASE_URL?: Setting;
  ZAI_API_KEY?: Setting;
  ZAI_BASE_URL?: Setting;
  /** An address, or `off`. */
  OLLAMA_BASE_URL?: Setting;
  PUBLIC_URL?: Setting;
}

export interface ConfiguredProvider {
  /** Stable over restarts: stored with every message. */
  id: string;
  kind: ProviderKind;
  displayName: string;
  provider: ModelProvider;
}

/** What the operator's environment configures, in order of preference. */
export function providersFromSettings(settings: ProviderSettings, fetch: Fetch): ConfiguredProvider[] {
  const providers: ConfiguredProvider[] = [];
  const add = (kind: ProviderKind, displayName: string, provider: ModelProvider): void => {
    providers.push({ id: `env:${kind}`, kind, displayName, provider });
  };
  const { ANTHROPIC_API_KEY, OPENAI_API_KEY, OPENROUTER_API_KEY, ZAI_API_KEY, OLLAMA_BASE_URL } = settings;
  if (ANTHROPIC_API_KEY) {
    const baseUrl = settings.ANTHROPIC_BASE_URL;
    add("anthropic", "Anthropic", createAnthropicProvider({ apiKey: ANTHROPIC_API_KEY, baseUrl, fetch }));
  }
  if (OPENAI_API_KEY) {
    const baseUrl = settings.OPENAI_BASE_URL;
    add("openai", "OpenAI", createOpenAiProvider({ apiKey: OPENAI_API_KEY, baseUrl, fetch }));
  }
  const publicUrl = settings.PUBLIC_URL;
  if (OPENROUTER_API_KEY) {
    const access = { apiKey: OPENROUTER_API_KEY, baseUrl: settings.OPENROUTER_BASE_URL, fetch, publicUrl };
    add("openrouter", "OpenRouter", createChatCompletionsProvider(OPENROUTER, access));
  }
  if (ZAI_API_KEY) {
    const access = { apiKey: ZAI_API_KEY, baseUrl: settings.ZAI_BASE_URL, fetch, publicUrl };
    add("zai", "Z.ai", createChatCompletionsProvider(ZAI, access));
  }
  if (OLLAMA_BASE_URL && OLLAMA_BASE_URL !== "off") {
    add("ollama", "Ollama", createOllamaProvider({ baseUrl: OLLAMA_BASE_URL, fetch }));
  }
  return providers;
}
