import type { ConnectableKind } from "../../contract/provider.ts";
import { BUILT_IN_IDS, type ProviderRecord, type ProviderSecret } from "../../domain/providers/provider-record.ts";
import { type ProviderSettings, VENDORS } from "./vendors.ts";

type EnvironmentKind = Exclude<keyof typeof BUILT_IN_IDS, "guide">;

export interface EnvironmentProviders {
  /** In order of preference. */
  records: readonly ProviderRecord[];
  /** The key of one of them; null where it has none, or is none of them. */
  secretOf(id: string): ProviderSecret | null;
  /** Where the operator has a vendor's API; null: at the vendor's own address. */
  baseUrlOf(kind: ConnectableKind): string | null;
}

const ORDER: readonly EnvironmentKind[] = ["anthropic", "openai", "openrouter", "zai", "ollama"];

const recordOf = (kind: ConnectableKind & EnvironmentKind, baseUrl: string | null): ProviderRecord => ({
  id: BUILT_IN_IDS[kind],
  kind,
  displayName: VENDORS[kind].name,
  scope: "system",
  workspaceId: null,
  ownerUserId: null,
  baseUrl,
  connectorId: null,
  upstream: null,
  route: "operator",
  credential: null,
  isDefault: false,
  isEnabled: true,
  source: "environment",
  version: 1,
});

/** What the operator's environment configures. Keys stay in it: no record carries one. */
export function environmentProviders(settings: ProviderSettings): EnvironmentProviders {
  const baseUrlOf = (kind: ConnectableKind): string | null => {
    const { baseUrlSetting } = VENDORS[kind];
    const set = baseUrlSetting ? settings[baseUrlSetting] : undefined;
    return set && set !== "off" ? set : null;
  };
  const records: ProviderRecord[] = [];
  const secrets = new Map<string, ProviderSecret>();
  for (const kind of ORDER) {
    const { keySetting } = VENDORS[kind];
    const apiKey = keySetting ? settings[keySetting] : undefined;
    const baseUrl = baseUrlOf(kind);
    if (!(keySetting ? apiKey : baseUrl)) continue;
    const record = recordOf(kind, baseUrl);
    records.push(record);
    if (apiKey) secrets.set(record.id, { apiKey });
  }
  return { records, secretOf: (id) => secrets.get(id) ?? null, baseUrlOf };
}
