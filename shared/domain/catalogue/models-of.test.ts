import { describe, expect, it } from "vitest";
import type { CatalogueModel } from "../providers/turn-configuration.ts";
import { modelsOf } from "./models-of.ts";

const instance = { providerId: "p", health: "healthy" as const, listed: null, catalogue: [] };
const ids = (facts: Partial<Parameters<typeof modelsOf>[1]>, kind: Parameters<typeof modelsOf>[0] = "anthropic") =>
  modelsOf(kind, { ...instance, ...facts }).map(({ id }) => id);
const retired = (id: string): CatalogueModel => ({ provider: "anthropic", id, isRetired: true });

describe("the models of an instance", () => {
  it("are those known by heart while nobody could ask its vendor", () => {
    expect(ids({})).toEqual(["claude-sonnet-4-6", "claude-opus-4-6", "claude-haiku-4-5"]);
    expect(ids({}, "ollama")).toEqual([]);
    expect(ids({}, "openai-compatible")).toEqual([]);
  });

  it("are what the vendor lists, with the catalogue's facts, and what it leaves out, unproven", () => {
    const models = modelsOf("anthropic", {
      ...instance,
      listed: [{ id: "claude-opus-5" }, { id: "claude-sonnet-4-6" }],
    });
    expect(models.map(({ id, health }) => [id, health])).toEqual([
      ["claude-sonnet-4-6", "healthy"],
      ["claude-opus-5", "healthy"],
      ["claude-opus-4-6", "unknown"],
      ["claude-haiku-4-5", "unknown"],
    ]);
    expect(models[1]).toMatchObject({ tier: "premium", contextWindow: 1_000_000 });
  });

  it("do not include a retired one, whether listed or known", () => {
    const catalogue = [retired("claude-opus-4-6"), retired("claude-sonnet-4-6")];
    expect(ids({ catalogue })).toEqual(["claude-haiku-4-5"]);
    expect(ids({ catalogue, listed: [{ id: "claude-opus-4-6" }, { id: "claude-opus-4-6-20260205" }] })).toEqual([
      "claude-haiku-4-5",
    ]);
  });
});
