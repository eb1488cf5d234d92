import type { Message } from "../contract/message.ts";
import type { Model } from "../contract/model.ts";
import type { Principal } from "../domain/access/principal.ts";
import { newHealth } from "../domain/providers/breaker.ts";
import type { HealthRecord } from "../domain/providers/health.ts";
import { BUILT_IN_IDS, type ProviderRecord } from "../domain/providers/provider-record.ts";
import type { TurnConfiguration } from "../domain/providers/turn-configuration.ts";
import type { RoutableInstance } from "../domain/routing/choose-model.ts";

let counter = 0;

/** A valid UUID that is different each time and the same in every run. */
export const testId = (): string => `00000000-0000-7000-8000-${(++counter).toString(16).padStart(12, "0")}`;

export function aMessage(overrides: Partial<Message> & { text?: string } = {}): Message {
  const { text = "hello", ...rest } = overrides;
  const seq = rest.seq ?? ++counter;
  return {
    id: testId(),
    seq,
    updatedSeq: seq,
    parentId: null,
    role: "user",
    parts: [{ type: "text", text }],
    metadata: {},
    createdAt: "2026-11-21T12:00:00.000Z",
    ...rest,
  };
}

export function aPrincipal(overrides: Partial<Principal> = {}): Principal {
  return {
    userId: testId(),
    name: "Ada",
    credentialId: testId(),
    credential: "session",
    workspaces: [],
    isInstanceAdmin: false,
    expiresAt: "2099-01-01T00:00:00.000Z",
    ...overrides,
  };
}

export function aModel(overrides: Partial<Model> = {}): Model {
  return {
    providerId: BUILT_IN_IDS.anthropic,
    provider: "anthropic",
    id: "claude-sonnet-4-6",
    name: "Claude Sonnet 4.6",
    tier: "standard",
    contextWindow: 200_000,
    maxOutputTokens: 64_000,
    prices: { inputMicroUsdPerMTok: 3_000_000, outputMicroUsdPerMTok: 15_000_000 },
    capabilities: { tools: true, vision: true, streaming: true, reasoning: true, embedding: false },
    aliases: ["sonnet"],
    health: "healthy",
    source: "test",
    asOf: "2026-11-21",
    ...overrides,
  };
}

export function anInstance(overrides: Partial<RoutableInstance> = {}): RoutableInstance {
  return {
    id: BUILT_IN_IDS.anthropic,
    kind: "anthropic",
    displayName: "Anthropic",
    health: "healthy",
    trouble: null,
    isPersonal: false,
    models: [aModel()],
    ...overrides,
  };
}

export const aHealth = (overrides: Partial<HealthRecord> = {}): HealthRecord => ({ ...newHealth(0), ...overrides });

/** A stored instance of somebody's own. */
export function aProviderRecord(overrides: Partial<ProviderRecord> = {}): ProviderRecord {
  const id = overrides.id ?? testId();
  return {
    id,
    kind: "openai",
    displayName: "My OpenAI",
    scope: "user",
    workspaceId: null,
    ownerUserId: testId(),
    baseUrl: null,
    connectorId: null,
    upstream: null,
    route: "public",
    credential: { id, sealed: "v1.test.a.b.c", method: "api-key", expiresAtMs: null, version: 1 },
    isDefault: false,
    isEnabled: true,
    source: "stored",
    version: 1,
    ...overrides,
  };
}

export const aConfiguration = (overrides: Partial<TurnConfiguration> = {}): TurnConfiguration => ({
  workspace: { defaultModel: null, defaultProviderId: null, settings: {} },
  providers: [],
  status: [],
  catalogue: [],
  ...overrides,
});
