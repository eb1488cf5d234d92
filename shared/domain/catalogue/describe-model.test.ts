import { describe, expect, it } from "vitest";
import { Model } from "../../contract/model.ts";
import { byPreference, describeModel, seedOf } from "./describe-model.ts";
import { SEED_MODELS } from "./seed-models.ts";

const anthropic = (id: string) => describeModel("anthropic", { id }, { providerId: "p" });

describe("describeModel", () => {
  it("makes a valid model of every seed, each with a source and a date", () => {
    for (const seed of SEED_MODELS) {
      const model = Model.parse(describeModel(seed.provider, { id: seed.id }, { providerId: "p", health: "healthy" }));
      expect(model).toMatchObject({ id: seed.id, name: seed.name, health: "healthy" });
      expect(model.source).not.toBe("");
      expect(model.asOf).toMatch(/^\d{4}-\d{2}-\d{2}$/);
    }
  });

  it("gives no alias and no id to two models", () => {
    const names = SEED_MODELS.flatMap((seed) => [seed.id, ...seed.aliases]);
    expect(new Set(names).size).toBe(names.length);
  });

  it("knows a dated id by its undated facts", () => {
    expect(seedOf("anthropic", "claude-haiku-4-5-20251001")?.id).toBe("claude-haiku-4-5");
    expect(anthropic("claude-haiku-4-5-20251001")).toMatchObject({ id: "claude-haiku-4-5-20251001", tier: "cheap" });
  });

  it("lets the vendor's word win over the seed", () => {
    const told = describeModel("anthropic", { id: "claude-opus-4-6", contextWindow: 5 }, { providerId: "p" });
    expect(told).toMatchObject({ contextWindow: 5, tier: "premium" });
  });

  it("promises nothing of an unknown model, and says so", () => {
    const unknown = describeModel("ollama", { id: "mystery:7b" }, { providerId: "p" });
    expect(unknown).toMatchObject({ contextWindow: null, tier: "local", health: "unknown" });
    expect(unknown.capabilities).toMatchObject({ tools: false, vision: false, reasoning: false });
    expect(unknown.source).toContain("unknown");
  });
});

describe("byPreference", () => {
  it("puts the seeded standard model first, then what else the vendor lists", () => {
    const listed = ["claude-new-9", "claude-opus-4-6", "claude-sonnet-4-6"].map(anthropic);
    const ids = byPreference("anthropic", listed, [anthropic("claude-haiku-4-5")]).map(({ id }) => id);
    expect(ids).toEqual(["claude-sonnet-4-6", "claude-opus-4-6", "claude-new-9", "claude-haiku-4-5"]);
  });

  it("prefers a vendor's own newer model to a seed it no longer lists, and both to a stranger", () => {
    const ids = byPreference("anthropic", ["gpt-4", "claude-new-9"].map(anthropic), [anthropic("claude-sonnet-4-6")]);
    expect(ids.map(({ id }) => id)).toEqual(["claude-new-9", "claude-sonnet-4-6", "gpt-4"]);
  });

  it("keeps a local list's order and puts embedding models last", () => {
    const local = (id: string, embedding: boolean) => {
      const model = describeModel("ollama", { id }, { providerId: "p" });
      return { ...model, capabilities: { ...model.capabilities, embedding } };
    };
    const ids = byPreference("ollama", [local("embed", true), local("b", false), local("a", false)], []);
    expect(ids.map(({ id }) => id)).toEqual(["b", "a", "embed"]);
  });
});
