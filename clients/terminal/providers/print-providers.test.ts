import { describe, expect, test } from "vitest";
import type { Model, ProviderHealth } from "../../../shared/contract/model.ts";
import type { Provider } from "../../../shared/contract/provider.ts";
import { oneOf } from "./one-of.ts";
import { healthLine, modelLines, providerLines, savedLine } from "./print-providers.ts";

const ID = "0190aaaa-0000-7000-8000-000000000000";
const provider: Provider = {
  ...{ id: ID, kind: "ollama", displayName: "At\x1b[2J home", scope: "user", workspaceId: null },
  config: { baseUrl: "https://ollama.example", headers: { "CF-Access-Client-Id": { configured: true, hint: null } } },
  credential: { configured: false, hint: null, method: null, expiresAt: null },
  ...{
    isDefault: true,
    isEnabled: true,
    source: "stored",
    health: "unknown",
    version: 1,
    createdAt: null,
    updatedAt: null,
  },
};
const down: ProviderHealth = {
  ...{ providerId: ID, kind: "ollama", displayName: "x", state: "down", since: "2026-11-21T18:02:11.000Z" },
  ...{ latencyMs: 12, checkedAt: null, lastError: "It does not\nanswer.\x07" },
};
const names = { workspaces: new Map(), machines: [] };

describe("providers as lines", () => {
  test("say what it is, how it fares and what to call it by, and nothing that moves the cursor", () => {
    expect(providerLines([provider], [down], names)).toBe(
      `At home (Ollama, only you, default, https://ollama.example, 1 header)\n  Not reachable, since 2026-11-21 18:02 UTC: It does not answer.\n  ${ID}`,
    );
    expect(healthLine({ ...provider, isEnabled: false }, down)).toBe("Disabled");
    expect(healthLine(provider, undefined)).toBe("Not checked yet");
    expect(healthLine(provider, { ...down, state: "healthy" })).toBe("Working, 12 ms, since 2026-11-21 18:02 UTC");
  });

  test("without any, they say how to begin", () => {
    expect(providerLines([], [], names)).toContain("npx mosaic providers add");
  });
});

describe("a provider that was just saved", () => {
  const well = { ok: true, latencyMs: 5, models: 2 };
  const refused = { ok: false, latencyMs: 0, models: 0, error: "Ollama does not answer." };

  test("is called connected only when it answers", () => {
    expect(savedLine(provider, well)).toBe(`Connected At home (${ID}). It answers in 5 ms and lists 2 models.`);
    expect(savedLine(provider, refused)).toBe(
      `Saved At home (${ID}), but it cannot answer yet: Ollama does not answer.`,
    );
  });

  test("says so when it gives others a machine, and only then", () => {
    const onMachine = { ...provider, config: { connectorId: ID } };
    expect(savedLine({ ...onMachine, scope: "workspace" }, well)).toContain("You share your machine");
    expect(savedLine(onMachine, well)).not.toContain("share");
    expect(savedLine({ ...provider, scope: "system" }, well)).not.toContain("share");
  });
});

test("models stand in columns, what answers first", () => {
  const model = (id: string, changes: Partial<Model>): Model => ({
    ...{
      providerId: ID,
      provider: "openai",
      id,
      name: id,
      tier: "standard",
      contextWindow: 200_000,
      maxOutputTokens: null,
    },
    prices: { inputMicroUsdPerMTok: 2_500_000, outputMicroUsdPerMTok: 15_000_000 },
    capabilities: { tools: true, vision: false, streaming: true, reasoning: true, embedding: false },
    ...{ aliases: [], health: "healthy", source: "test", asOf: "2026-11-21" },
    ...changes,
  });
  const lines = modelLines([
    model("broken", { health: "down", prices: null, contextWindow: null }),
    model("good-one", { contextWindow: 1_050_000 }),
  ]);
  expect(lines.split("\n")).toEqual([
    "openai/good-one  standard  1.05M  $2.50/$15  tools reasoning  Working",
    "openai/broken    standard  ?      ?          tools reasoning  Not reachable",
  ]);
});

describe("one of several", () => {
  const items = [
    { id: ID, name: "Claude" },
    { id: "0190bbbb-0000-7000-8000-000000000000", name: "Twin" },
    { id: "0190cccc-0000-7000-8000-000000000000", name: "twin" },
  ];

  test("is found by its id, or by a name that only it has", () => {
    expect(oneOf(items, "claude", "provider").id).toBe(ID);
    expect(oneOf(items, ID.toUpperCase(), "provider").id).toBe(ID);
  });

  test.each([
    ["Twin", /more than one provider called Twin; take its id: 0190bbbb.*, 0190cccc/],
    ["nobody", /no provider called nobody; there are Claude, Twin, twin\./],
  ])("%s is refused with what would do", (word, message) => {
    expect(() => oneOf(items, word, "provider")).toThrow(message);
  });
});
