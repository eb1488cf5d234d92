import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ProviderKind } from "../../contract/model.ts";
import { BUILT_IN_IDS } from "../providers/provider-record.ts";
import { describeModel } from "./describe-model.ts";
import { findModel, type NamedProvider } from "./find-model.ts";

const provider = (kind: ProviderKind, ids: string[], id: string): NamedProvider => ({
  id,
  kind,
  models: ids.map((model) => describeModel(kind, { id: model }, { providerId: id })),
});
const providers = [
  provider("anthropic", ["claude-sonnet-4-6", "claude-opus-4-6"], BUILT_IN_IDS.anthropic),
  provider(
    "openrouter",
    ["openrouter/auto", "anthropic/claude-sonnet-4-6", "anthropic/claude-sonnet-4.5", "x/only-here"],
    BUILT_IN_IDS.openrouter,
  ),
  provider("ollama", [], BUILT_IN_IDS.ollama),
];

const DESK = "0b7e2f6c-0000-4000-8000-00000000000a";
const LAB = "0b7e2f6c-0000-4000-8000-00000000000b";
/** Two of each kind. */
const machines = [
  provider("ollama", ["qwen3:4b", "both:1b"], DESK),
  provider("ollama", ["llama3:8b", "both:1b"], LAB),
  provider("openai-compatible", ["qwen"], "0b7e2f6c-0000-4000-8000-00000000000c"),
  provider("openai-compatible", ["llama"], "0b7e2f6c-0000-4000-8000-00000000000d"),
];

const found = (name: string, among: readonly NamedProvider[] = providers) => {
  const result = findModel(name, among);
  if (!result.found) return result.nearest;
  const { kind } = among.find(({ id }) => id === result.providerId) ?? {};
  return `${among === providers ? kind : result.providerId.slice(-1)} ${result.model.id}`;
};
const keptAs = (name: string, among: readonly NamedProvider[] = providers) => {
  const result = findModel(name, among);
  return result.found ? result.name : null;
};

describe("findModel", () => {
  it.each([
    ["claude-opus-4-6", "anthropic claude-opus-4-6"],
    [" Claude-Opus-4-6 ", "anthropic claude-opus-4-6"],
    ["opus", "anthropic claude-opus-4-6"],
    ["claude-o", "anthropic claude-opus-4-6"],
    ["anthropic/opus", "anthropic claude-opus-4-6"],
    ["anthropic/claude-o", "anthropic claude-opus-4-6"],
    [`${BUILT_IN_IDS.anthropic}/claude-opus-4-6`, "anthropic claude-opus-4-6"],
    ["openrouter/x/only-here", "openrouter x/only-here"],
    ["x/only", "openrouter x/only-here"],
  ])("understands %s", (name, expected) => expect(found(name)).toBe(expected));

  it("means the vendor itself by its name in front, also where a gateway calls its own model so", () => {
    expect(found("anthropic/claude-sonnet-4-6")).toBe("anthropic claude-sonnet-4-6");
    expect(found("openrouter/anthropic/claude-sonnet-4-6")).toBe("openrouter anthropic/claude-sonnet-4-6");
  });

  it("means the gateway's model where the vendor itself lists none of that name, or is not connected", () => {
    expect(found("anthropic/claude-sonnet-4.5")).toBe("openrouter anthropic/claude-sonnet-4.5");
    expect(found("openrouter/auto")).toBe("openrouter openrouter/auto");
    expect(found("anthropic/claude-sonnet-4-6", providers.slice(1))).toBe("3 anthropic/claude-sonnet-4-6");
  });

  it("looks at every provider of a kind, those that list the model first", () => {
    expect(found("ollama/qwen3:4b", machines)).toBe("a qwen3:4b");
    expect(found("ollama/llama3:8b", machines)).toBe("b llama3:8b");
    expect(found("ollama/both:1b", machines)).toBe("a both:1b");
    expect(found("openai-compatible/llama", machines)).toBe("d llama");
    expect(found("openai-compatible/neither", machines)).toBe("c neither");
    expect(found("ollama/llama3", machines)).toBe("b llama3:8b");
    expect(found("ollama/neither", machines)).toEqual([]);
  });

  it("finds every model by the name that a list prints", () => {
    for (const { kind, models } of machines)
      for (const { id } of models) expect(findModel(`${kind}/${id}`, machines)).toMatchObject({ model: { id } });
  });

  it("takes only the one that was meant by its id", () => {
    expect(found(`${LAB}/both:1b`, machines)).toBe("b both:1b");
    expect(found(`${LAB}/qwen3:4b`, machines)).toContain("qwen3:4b");
  });

  it("says how a name is kept: with the provider that was meant in front", () => {
    expect(keptAs("opus")).toBe("anthropic/claude-opus-4-6");
    expect(keptAs("anthropic/claude-sonnet-4.5")).toBe("openrouter/anthropic/claude-sonnet-4.5");
    expect(keptAs("openrouter/new/one")).toBe("openrouter/new/one");
    expect(keptAs("llama3:8b", machines)).toBe("ollama/llama3:8b");
    expect(keptAs(`${LAB}/BOTH:1b`, machines)).toBe(`${LAB}/both:1b`);
  });

  it("finds the same by the name that is kept, whoever else has it", () => {
    const all = [...providers.slice(0, 2), ...machines];
    const names = all.flatMap(({ id, kind, models }) =>
      models.flatMap((model) => [model.id, `${kind}/${model.id}`, `${id}/${model.id}`]),
    );
    for (const name of [...names, "openrouter/new/one", `${DESK}/both:1b`]) {
      const once = findModel(name, all);
      expect(findModel(once.found ? once.name : "", all)).toEqual(once);
    }
  });

  it("takes a vendor nobody could ask yet at its user's word, whatever a gateway has", () => {
    expect(found("ollama/Llama3:8b")).toBe("ollama Llama3:8b");
    const gateway = provider("openrouter", ["ollama/llama3:8b"], BUILT_IN_IDS.openrouter);
    expect(findModel("ollama/llama3:8b", [gateway, provider("ollama", [], BUILT_IN_IDS.ollama)])).toMatchObject({
      providerId: BUILT_IN_IDS.ollama,
    });
  });

  it("takes a vendor's model that nobody has described at its user's word, and says so", () => {
    expect(found("anthropic/claude-Next-9")).toBe("anthropic claude-Next-9");
    const result = findModel("openrouter/new/one", providers);
    expect(result).toMatchObject({ found: true, model: { contextWindow: null, prices: null } });
    expect(result.found && result.model.source).toContain("unknown model");
  });

  it("does not take an Ollama's model on trust when its list is known", () => {
    const local = [provider("ollama", ["llama3:8b"], BUILT_IN_IDS.ollama)];
    expect(findModel("ollama/lama3:8b", local)).toEqual({ found: false, nearest: ["llama3:8b"] });
  });

  it("answers an ambiguous prefix with what it could mean", () => {
    expect(found("claude-")).toEqual(["claude-sonnet-4-6", "claude-opus-4-6"]);
  });

  it("answers an unknown name with the nearest", () => {
    expect(found("claude-opsu-4-6")).toContain("claude-opus-4-6");
    expect(found("claude-opsu")).toContain("claude-opus-4-6");
    expect(found(`${LAB}/claude-opsu-4-6`)).toContain("claude-opus-4-6");
    expect(found("qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq")).toEqual([]);
  });

  it("never throws, whatever the name, and finds every model by its id", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (name) => void findModel(name, providers)));
    for (const { id } of machines.flatMap(({ models }) => models)) expect(found(id, machines)).toContain(id);
  });
});
