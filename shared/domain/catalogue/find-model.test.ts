import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ProviderKind } from "../../contract/model.ts";
import { describeModel } from "./describe-model.ts";
import { findModel, type NamedProvider } from "./find-model.ts";

const provider = (kind: ProviderKind, ids: string[]): NamedProvider => {
  const id = `env:${kind}`;
  return { id, kind, models: ids.map((model) => describeModel(kind, { id: model }, { providerId: id })) };
};
const providers = [
  provider("anthropic", ["claude-sonnet-4-6", "claude-opus-4-6"]),
  provider("openrouter", ["anthropic/claude-sonnet-4-6", "x/only-here"]),
  provider("ollama", []),
];
const found = (name: string) => {
  const result = findModel(name, providers);
  return result.found ? `${result.providerId} ${result.model.id}` : result.nearest;
};

describe("findModel", () => {
  it.each([
    ["claude-opus-4-6", "env:anthropic claude-opus-4-6"],
    [" Claude-Opus-4-6 ", "env:anthropic claude-opus-4-6"],
    ["opus", "env:anthropic claude-opus-4-6"],
    ["claude-o", "env:anthropic claude-opus-4-6"],
    ["anthropic/opus", "env:anthropic claude-opus-4-6"],
    ["env:anthropic/claude-opus-4-6", "env:anthropic claude-opus-4-6"],
    ["anthropic/claude-sonnet-4-6", "env:openrouter anthropic/claude-sonnet-4-6"],
    ["openrouter/x/only-here", "env:openrouter x/only-here"],
    ["x/only", "env:openrouter x/only-here"],
  ])("understands %s", (name, expected) => expect(found(name)).toBe(expected));

  it("takes a vendor nobody could ask yet at its user's word", () => {
    expect(found("ollama/Llama3:8b")).toBe("env:ollama Llama3:8b");
  });

  it("takes a vendor's model that nobody has described at its user's word, and says so", () => {
    expect(found("anthropic/claude-Next-9")).toBe("env:anthropic claude-Next-9");
    const result = findModel("openrouter/new/one", providers);
    expect(result).toMatchObject({ found: true, model: { contextWindow: null, prices: null } });
    expect(result.found && result.model.source).toContain("unknown model");
  });

  it("does not take an Ollama's model on trust when its list is known", () => {
    const local = [provider("ollama", ["llama3:8b"])];
    expect(findModel("ollama/lama3:8b", local)).toEqual({ found: false, nearest: ["llama3:8b"] });
  });

  it("answers an ambiguous prefix with what it could mean", () => {
    expect(found("claude-")).toEqual(["claude-sonnet-4-6", "claude-opus-4-6"]);
  });

  it("answers an unknown name with the nearest", () => {
    expect(found("claude-opsu-4-6")).toContain("claude-opus-4-6");
    expect(found("claude-opsu")).toContain("claude-opus-4-6");
    expect(found("qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq")).toEqual([]);
  });

  it("never throws, whatever the name, and finds every model by its id", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (name) => void findModel(name, providers)));
    for (const { id } of providers.flatMap(({ models }) => models)) expect(found(id)).toContain(id);
  });
});
