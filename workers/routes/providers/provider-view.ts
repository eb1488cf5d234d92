import type { Provider } from "../../../shared/contract/provider.ts";
import type { Settings } from "../../../shared/contract/settings.ts";
import type { ProviderRecord } from "../../../shared/domain/providers/provider-record.ts";
import { secretHint } from "../../../shared/domain/providers/secret-hint.ts";
import type { StoredProvider } from "../../../shared/ports/provider-store.ts";

/** An instance as the API knows it: stored, or set by the operator, who has no times. */
export type KnownProvider = Omit<StoredProvider, "createdAt" | "updatedAt"> & {
  createdAt: string | null;
  updatedAt: string | null;
  isConfigured: boolean;
};

export const fromStore = (stored: StoredProvider): KnownProvider => ({
  ...stored,
  isConfigured: (stored.record.credential?.method ?? null) !== null,
});

const keyOf = (settings: Settings, { kind }: ProviderRecord): string | undefined =>
  ({
    anthropic: settings.ANTHROPIC_API_KEY,
    openai: settings.OPENAI_API_KEY,
    openrouter: settings.OPENROUTER_API_KEY,
    zai: settings.ZAI_API_KEY,
    ollama: undefined,
    "openai-compatible": undefined,
  })[kind];

/** Where the operator's services are, and what their keys end in, only an instance admin is told. */
export function fromEnvironment(
  record: ProviderRecord,
  settings: Settings,
  { isInstanceAdmin }: { isInstanceAdmin: boolean },
): KnownProvider {
  const key = keyOf(settings, record);
  return {
    record: isInstanceAdmin ? record : { ...record, baseUrl: null },
    hints: { credential: isInstanceAdmin && key !== undefined ? secretHint(key) : null, headers: {} },
    createdAt: null,
    updatedAt: null,
    isConfigured: key !== undefined,
  };
}

const placeOf = ({ record, hints }: KnownProvider): Provider["config"] => {
  const headers = Object.entries(hints.headers).map(([name, hint]) => [name, { configured: true, hint }] as const);
  return {
    ...(record.baseUrl === null ? {} : { baseUrl: record.baseUrl }),
    ...(record.connectorId === null ? {} : { connectorId: record.connectorId }),
    ...(record.upstream === null ? {} : { upstream: record.upstream }),
    ...(headers.length > 0 ? { headers: Object.fromEntries(headers) } : {}),
  };
};

/** What may be read of an instance: never a secret. */
export function toProvider(known: KnownProvider, health: Provider["health"]): Provider {
  const { record, hints, isConfigured, createdAt, updatedAt } = known;
  const { id, kind, displayName, scope, workspaceId, isDefault, isEnabled, source, version, credential } = record;
  const expiresAtMs = credential?.expiresAtMs ?? null;
  return {
    id,
    kind,
    displayName,
    scope,
    workspaceId,
    config: placeOf(known),
    credential: {
      configured: isConfigured,
      hint: hints.credential,
      method: credential?.method ?? (isConfigured ? "api-key" : null),
      expiresAt: expiresAtMs === null ? null : new Date(expiresAtMs).toISOString(),
    },
    isDefault,
    isEnabled,
    source,
    health,
    version,
    createdAt,
    updatedAt,
  };
}
