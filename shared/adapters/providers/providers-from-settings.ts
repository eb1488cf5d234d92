import type { ProviderKind } from "../../contract/model.ts";
import type { ModelProvider } from "../../ports/model-provider.ts";
import { createAnthropicProvider } from "./anthropic/anthropic-provider.ts";
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
  const { ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL } = settings;
  if (ANTHROPIC_API_KEY) {
    add(
      "anthropic",
      "Anthropic",
      createAnthropicProvider({ apiKey: ANTHROPIC_API_KEY, baseUrl: ANTHROPIC_BASE_URL, fetch }),
    );
  }
  return providers;
}
