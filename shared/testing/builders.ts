import type { Message } from "../contract/message.ts";
import type { Model } from "../contract/model.ts";
import type { Principal } from "../domain/access/principal.ts";
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
    providerId: "env:anthropic",
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
    id: "env:anthropic",
    kind: "anthropic",
    displayName: "Anthropic",
    health: "healthy",
    models: [aModel()],
    ...overrides,
  };
}
