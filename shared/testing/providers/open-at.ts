/** A real adapter of a stored instance, opened as the product opens it, at a server of a test's. */
import { type OpenProviderDeps, openProvider } from "../../adapters/providers/open-provider.ts";
import type { ConnectableKind } from "../../contract/provider.ts";
import type { ProviderRecord, ProviderSecret } from "../../domain/providers/provider-record.ts";
import type { ModelProvider } from "../../ports/model-provider.ts";

export const aProviderRecord = (overrides: Partial<ProviderRecord> = {}): ProviderRecord => ({
  id: "00000000-0000-7000-8000-0000000000a1",
  kind: "anthropic",
  displayName: "Work",
  scope: "user",
  workspaceId: null,
  ownerUserId: "00000000-0000-7000-8000-0000000000b1",
  baseUrl: null,
  connectorId: null,
  upstream: null,
  route: "operator",
  credential: null,
  isDefault: false,
  isEnabled: true,
  source: "stored",
  version: 1,
  ...overrides,
});

/** Whose vault opens whatever it is given as this secret. */
export const depsWith = (secret: ProviderSecret, more: Partial<OpenProviderDeps> = {}): OpenProviderDeps => ({
  vault: { open: async () => secret },
  secretOf: () => secret,
  fetchFor: () => fetch,
  operatorBaseUrl: () => null,
  fresh: async (record) => {
    if (!record.credential) throw new Error("There is nothing to refresh.");
    return record.credential;
  },
  ...more,
});

/** An instance with this key at this address; null: without a key. */
export function openAt(
  kind: ConnectableKind,
  baseUrl: string,
  apiKey: string | null,
  more: Partial<OpenProviderDeps> = {},
): ModelProvider {
  const credential = apiKey === null ? null : sealedAs("api-key");
  const record = aProviderRecord({ kind, baseUrl, credential });
  return openProvider(record, depsWith(apiKey === null ? {} : { apiKey }, more));
}

/** A credential whose sealed text means nothing: the vault of `depsWith` does not look at it. */
export const sealedAs = (method: "api-key" | "oauth"): NonNullable<ProviderRecord["credential"]> => ({
  id: "00000000-0000-7000-8000-0000000000c1",
  sealed: "v1.sealed",
  method,
  expiresAtMs: null,
  version: 1,
});
