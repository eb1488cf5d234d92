/** Who the vendors are: their names, where they live by themselves, and which settings of the environment stand for them. */
import type { ConnectableKind } from "../../contract/provider.ts";

export interface VendorFacts {
  name: string;
  /** The vendor's own address; null where everybody runs their own. */
  baseUrl: string | null;
  /** The environment's variables; null where there is none. */
  keySetting: keyof ProviderSettings | null;
  baseUrlSetting: keyof ProviderSettings | null;
  /** Whether it may be asked without a key. */
  isOpen: boolean;
}

type Setting = string | undefined;

/** The part of the environment that configures providers. */
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
}

/** In order of preference. */
export const VENDORS: Readonly<Record<ConnectableKind, VendorFacts>> = {
  anthropic: {
    name: "Anthropic",
    baseUrl: "https://api.anthropic.com",
    keySetting: "ANTHROPIC_API_KEY",
    baseUrlSetting: "ANTHROPIC_BASE_URL",
    isOpen: false,
  },
  openai: {
    name: "OpenAI",
    baseUrl: "https://api.openai.com/v1",
    keySetting: "OPENAI_API_KEY",
    baseUrlSetting: "OPENAI_BASE_URL",
    isOpen: false,
  },
  openrouter: {
    name: "OpenRouter",
    baseUrl: "https://openrouter.ai/api/v1",
    keySetting: "OPENROUTER_API_KEY",
    baseUrlSetting: "OPENROUTER_BASE_URL",
    isOpen: false,
  },
  zai: {
    name: "Z.ai",
    baseUrl: "https://api.z.ai/api/paas/v4",
    keySetting: "ZAI_API_KEY",
    baseUrlSetting: "ZAI_BASE_URL",
    isOpen: false,
  },
  ollama: { name: "Ollama", baseUrl: null, keySetting: null, baseUrlSetting: "OLLAMA_BASE_URL", isOpen: true },
  "openai-compatible": { name: "The server", baseUrl: null, keySetting: null, baseUrlSetting: null, isOpen: true },
};

/** What stands for a host where a connector carries the request: the machine puts its own address in its place, `/v1` and all. */
const CONNECTOR_ORIGIN = "http://connector.invalid";

/** Endings that people copy along with an address. */
const ENDPOINT = /\/(chat\/completions|completions|responses|embeddings|models|messages)$/;

/** The root of an API as its adapter wants it, from whatever a person wrote: with or without `/v1`, with a slash too many. */
export function rootOf(kind: ConnectableKind, baseUrl: string | null): string {
  const address = baseUrl ?? VENDORS[kind].baseUrl;
  if (address === null) return kind === "ollama" ? CONNECTOR_ORIGIN : `${CONNECTOR_ORIGIN}/v1`;
  const given = address.replace(/\/+$/, "");
  if (kind === "ollama") return given.replace(/\/+(v1|api)$/, "");
  const root = given.replace(ENDPOINT, "");
  if (kind === "anthropic") return root.replace(/\/+v1$/, "");
  if (kind === "openrouter" || kind === "zai") return root;
  // A version anywhere in the path (`/v1`, `/v1beta/openai`) says that the address is whole.
  return /\/v\d\w*(\/|$)/.test(root.replace(/^https?:\/\/[^/]*/i, "")) ? root : `${root}/v1`;
}
