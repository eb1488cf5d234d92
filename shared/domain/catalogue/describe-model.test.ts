import { describe, expect, it } from "vitest";
import { Model } from "../../contract/model.ts";
import { catalogueSeed, rowsOf } from "./catalogue-seed.ts";
import { byPreference, describeModel, rowOf } from "./describe-model.ts";
import { PRICED_MODELS } from "./priced-models.gen.ts";
import { SEED_MODELS } from "./seed-models.ts";

const anthropic = (id: string) => describeModel("anthropic", { id }, { providerId: "p" });

describe("describeModel", () => {
  it("makes a valid model of every seed, each with a source and a date", () => {
    for (const seed of catalogueSeed) {
      const model = Model.parse(describeModel(seed.provider, { id: seed.id }, { providerId: "p", health: "healthy" }));
      expect(model).toMatchObject({ id: seed.id, name: seed.name, health: "healthy" });
      expect(model.source).not.toBe("");
      expect(model.asOf).toMatch(/^\d{4}-\d{2}-\d{2}$/);
    }
  });

  it("gives no alias and no id to two models", () => {
    const names = catalogueSeed.flatMap((seed) => [seed.id, ...seed.aliases]);
    expect(new Set(names).size).toBe(names.length);
  });

  it("says of no model by hand another price than the kept package does", () => {
    const both = SEED_MODELS.flatMap((seed) => {
      const priced = PRICED_MODELS.find(({ provider, id }) => provider === seed.provider && id === seed.id);
      return priced ? [[seed, priced] as const] : [];
    });
    expect(both.length).toBeGreaterThan(2);
    for (const [seed, priced] of both) {
      expect(seed.prices?.inputMicroUsdPerMTok).toBe(priced.prices?.inputMicroUsdPerMTok);
      expect(seed.prices?.outputMicroUsdPerMTok).toBe(priced.prices?.outputMicroUsdPerMTok);
      expect(seed.prices?.cachedInputMicroUsdPerMTok).toBe(priced.prices?.cachedInputMicroUsdPerMTok);
      expect(seed.contextWindow).toBe(priced.contextWindow);
    }
  });

  it("lets the catalogue's row win over the seed, and the vendor's word over both", () => {
    const row = { provider: "anthropic" as const, id: "claude-opus-4-6", contextWindow: 7, isRetired: false };
    const rows = rowsOf("anthropic", [row]);
    const described = (listed: object) =>
      describeModel("anthropic", { id: "claude-opus-4-6", ...listed }, { providerId: "p" }, rows).contextWindow;
    expect([described({}), described({ contextWindow: 5 })]).toEqual([7, 5]);
    expect(rows.filter(({ id }) => id === "claude-opus-4-6")).toHaveLength(1);
  });

  it("knows a dated id by its undated facts", () => {
    expect(rowOf(catalogueSeed, "claude-haiku-4-5-20251001")?.id).toBe("claude-haiku-4-5");
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
    const ids = byPreference(rowsOf("anthropic"), listed, [anthropic("claude-haiku-4-5")]).map(({ id }) => id);
    expect(ids).toEqual(["claude-sonnet-4-6", "claude-opus-4-6", "claude-new-9", "claude-haiku-4-5"]);
  });

  it("prefers a vendor's own newer model to a seed it no longer lists, and both to a stranger", () => {
    const ids = byPreference(rowsOf("anthropic"), ["gpt-4", "claude-new-9"].map(anthropic), [
      anthropic("claude-sonnet-4-6"),
    ]);
    expect(ids.map(({ id }) => id)).toEqual(["claude-new-9", "claude-sonnet-4-6", "gpt-4"]);
  });

  it("keeps a local list's order and puts embedding models last", () => {
    const local = (id: string, embedding: boolean) => {
      const model = describeModel("ollama", { id }, { providerId: "p" });
      return { ...model, capabilities: { ...model.capabilities, embedding } };
    };
    const ids = byPreference(rowsOf("ollama"), [local("embed", true), local("b", false), local("a", false)], []);
    expect(ids.map(({ id }) => id)).toEqual(["b", "a", "embed"]);
  });
});
