import { describe, expect, it } from "vitest";
import { BUILT_IN_IDS } from "../../domain/providers/provider-record.ts";
import type { TurnConfiguration } from "../../domain/providers/turn-configuration.ts";
import type { ModelProvider } from "../../ports/model-provider.ts";
import { aConfiguration, aHealth, aProviderRecord } from "../../testing/builders.ts";
import { createProviderDirectory } from "./directory.ts";
import { environmentProviders } from "./environment-providers.ts";
import { StatusMemory } from "./status-memory.ts";
import type { ProviderSettings } from "./vendors.ts";

const AT = Date.parse("2026-11-21T12:00:00Z");

function directoryOf(settings: ProviderSettings = {}) {
  const opened: string[] = [];
  const directory = createProviderDirectory({
    environment: environmentProviders(settings).records,
    open: (record): ModelProvider => {
      opened.push(`${record.id}:${record.version}:${record.credential?.version ?? ""}`);
      return { kind: record.kind, models: async () => [], async *stream() {} };
    },
    memory: new StatusMemory(),
    now: () => new Date(AT),
  });
  const names = (configuration: TurnConfiguration | null): string[] =>
    directory.instances(configuration).map(({ displayName }) => displayName);
  return { directory, opened, names };
}

const withKey: ProviderSettings = { ANTHROPIC_API_KEY: "k", OLLAMA_BASE_URL: "http://127.0.0.1:9" };

describe("the provider directory", () => {
  it("has the guide alone, healthy, where nothing is configured", () => {
    const { directory } = directoryOf();
    expect(directory.instances(null).map(({ id, health }) => [id, health])).toEqual([[BUILT_IN_IDS.guide, "healthy"]]);
    expect(directory.environment()).toEqual([]);
  });

  it("prefers the user's own, then the workspace's, the system's, the environment's; the default first, the guide last", () => {
    const { names } = directoryOf(withKey);
    const providers = [
      aProviderRecord({ scope: "system", displayName: "system" }),
      aProviderRecord({ scope: "workspace", displayName: "workspace" }),
      aProviderRecord({ scope: "user", displayName: "own" }),
      aProviderRecord({ scope: "user", displayName: "own default", isDefault: true }),
      aProviderRecord({ scope: "system", displayName: "system default", isDefault: true }),
    ];
    expect(names(aConfiguration({ providers }))).toEqual([
      "own default",
      "own",
      "workspace",
      "system default",
      "system",
      "Anthropic",
      "Ollama",
      "Built-in guide",
    ]);
  });

  it("never has one that is switched off", () => {
    const { names } = directoryOf();
    const providers = [
      aProviderRecord({ displayName: "off", isEnabled: false }),
      aProviderRecord({ displayName: "on" }),
    ];
    expect(names(aConfiguration({ providers }))).toEqual(["on", "Built-in guide"]);
  });

  it("keeps nobody's instance for anybody else", () => {
    const { names } = directoryOf();
    const ada = aConfiguration({ providers: [aProviderRecord({ displayName: "Ada's" })] });
    const bob = aConfiguration({ providers: [aProviderRecord({ displayName: "Bob's" })] });
    expect([names(ada)[0], names(bob)[0], names(null)[0]]).toEqual(["Ada's", "Bob's", "Built-in guide"]);
  });

  it("opens an instance once, and anew with another version of its record or its key", () => {
    const { directory, opened } = directoryOf();
    const record = aProviderRecord();
    const { credential } = record;
    if (!credential) throw new Error("It has a key.");
    const changed = [
      record,
      record,
      { ...record, version: 2 },
      { ...record, credential: { ...credential, version: 2 } },
    ];
    for (const each of changed) directory.instances(aConfiguration({ providers: [each] }));
    expect(opened).toEqual([`${record.id}:1:1`, `${record.id}:2:1`, `${record.id}:1:2`]);
  });

  it("reads the mirror's word on health, unless it knows something newer", () => {
    const { directory } = directoryOf();
    const record = aProviderRecord();
    const read = (version: number, state: "healthy" | "degraded") => {
      const health = aHealth({ version, state, lastError: state === "degraded" ? "It failed." : null });
      const status = [{ providerId: record.id, health, listed: null }];
      return directory.instances(aConfiguration({ providers: [record], status }))[0];
    };
    expect(read(2, "degraded")).toMatchObject({ health: "degraded", trouble: { error: "It failed." } });
    expect(read(1, "healthy")?.health).toBe("degraded");
    expect(read(3, "healthy")).toMatchObject({ health: "healthy", trouble: null });
  });

  it("holds nothing against an instance with a new key that the old one deserved", () => {
    const { directory } = directoryOf();
    const record = aProviderRecord({ version: 2 });
    const health = aHealth({
      version: 9,
      state: "down",
      openUntilMs: AT + 1_000,
      lastError: "Wrong key.",
      ofVersion: 1,
    });
    const status = [{ providerId: record.id, health, listed: null }];
    const [instance] = directory.instances(aConfiguration({ providers: [record], status }));
    expect(instance).toMatchObject({ health: "unknown", breaker: "closed", trouble: null });
  });

  it("offers what the instance lists, also without a database afterwards", () => {
    const { directory } = directoryOf(withKey);
    const status = [
      { providerId: BUILT_IN_IDS.ollama, health: aHealth({ version: 1 }), listed: [{ id: "llama3:8b" }] },
    ];
    directory.instances(aConfiguration({ status }));
    const [anthropic, ollama] = directory.instances(null);
    expect(ollama?.models.map(({ id }) => id)).toEqual(["llama3:8b"]);
    expect(anthropic?.models.length).toBeGreaterThan(0);
  });

  it("describes the models of an instance once, while nothing about them changes", () => {
    const { directory } = directoryOf(withKey);
    const configuration = aConfiguration();
    const [first] = directory.instances(configuration);
    expect(directory.instances(configuration)[0]?.models).toBe(first?.models);
  });
});
