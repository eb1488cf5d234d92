import * as z from "zod";
import { HealthState, Model } from "../../contract/model.ts";
import { ConnectableKind, ProviderScope } from "../../contract/provider.ts";
import { PROVIDER_ERROR_KINDS } from "../../domain/model/provider-failure.ts";
import type { HealthRecord } from "../../domain/providers/health.ts";
import type { ProviderRecord } from "../../domain/providers/provider-record.ts";
import type { CatalogueModel, InstanceStatus, ModelFacts } from "../../domain/providers/turn-configuration.ts";
import type { StoredProvider } from "../../ports/provider-store.ts";
import type { providerCredentials, providerInstances } from "./schema/providers.ts";

type InstanceRow = typeof providerInstances.$inferSelect;
type CredentialRow = typeof providerCredentials.$inferSelect;

export function storedProviderOf(row: InstanceRow, credential: CredentialRow | null): StoredProvider {
  const { id, kind, displayName, scope, workspaceId, ownerUserId, baseUrl, connectorId, upstream, route } = row;
  const { isDefault, isEnabled, version } = row;
  return {
    record: {
      id,
      kind,
      displayName,
      scope,
      workspaceId,
      ownerUserId,
      baseUrl,
      connectorId,
      upstream,
      route,
      credential: credential && {
        id: credential.id,
        sealed: credential.sealed,
        method: credential.method,
        expiresAtMs: credential.expiresAt?.getTime() ?? null,
        version: credential.version,
      },
      isDefault,
      isEnabled,
      source: "stored",
      version,
    },
    hints: { credential: row.credentialHint, headers: row.headerHints },
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

const nullableText = z.string().nullable();
const nullableNumber = z.number().nullable();

/** As `app.provider_record` writes it. */
export const ProviderRecordRow: z.ZodType<ProviderRecord> = z.object({
  id: z.string(),
  kind: ConnectableKind,
  displayName: z.string(),
  scope: ProviderScope,
  workspaceId: nullableText,
  ownerUserId: nullableText,
  baseUrl: nullableText,
  connectorId: nullableText,
  upstream: nullableText,
  route: z.enum(["operator", "public", "private", "connector"]),
  credential: z
    .object({
      id: z.string(),
      sealed: z.string(),
      method: z.enum(["api-key", "oauth"]).nullable(),
      expiresAtMs: nullableNumber,
      version: z.number(),
    })
    .nullable(),
  isDefault: z.boolean(),
  isEnabled: z.boolean(),
  source: z.literal("stored"),
  version: z.number(),
});

/** What is missing was written by an older version of this program: it says nothing. */
const HealthRow: z.ZodType<HealthRecord> = z.object({
  state: HealthState,
  sinceMs: z.number(),
  checkedAtMs: nullableNumber.default(null),
  latencyMs: nullableNumber.default(null),
  lastError: nullableText.default(null),
  lastErrorKind: z.enum(PROVIDER_ERROR_KINDS).nullable().catch(null),
  failures: z.number().default(0),
  lastFailureAtMs: nullableNumber.default(null),
  openUntilMs: nullableNumber.default(null),
  trialUntilMs: nullableNumber.default(null),
  ofVersion: z.number().default(1),
  version: z.number().default(0),
});

const unknownHealth = (): HealthRecord => HealthRow.parse({ state: "unknown", sinceMs: 0 });

const Facts = z.object({
  id: Model.shape.id,
  name: Model.shape.name.exactOptional(),
  tier: Model.shape.tier.exactOptional(),
  contextWindow: Model.shape.contextWindow.exactOptional(),
  maxOutputTokens: Model.shape.maxOutputTokens.exactOptional(),
  prices: Model.shape.prices.exactOptional(),
  capabilities: Model.shape.capabilities.exactOptional(),
  aliases: Model.shape.aliases.exactOptional(),
  source: Model.shape.source.exactOptional(),
  asOf: Model.shape.asOf.exactOptional(),
});

const ListedModels: z.ZodType<ModelFacts[]> = z.array(Facts);

export const CatalogueModels: z.ZodType<CatalogueModel[]> = z.array(
  Facts.extend({ provider: Model.shape.provider, isRetired: z.boolean() }),
);

/** A list that cannot be read is as good as none: the next probe writes it anew. */
export const listedOf = (value: unknown): ModelFacts[] | null => ListedModels.nullable().catch(null).parse(value);

export const statusOf = (row: { providerId: string; health: unknown }, listed: ModelFacts[] | null): InstanceStatus => {
  const health = HealthRow.safeParse(row.health);
  return { providerId: row.providerId, health: health.success ? health.data : unknownHealth(), listed };
};
