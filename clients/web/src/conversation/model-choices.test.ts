import { expect, test } from "vitest";
import type { Model } from "../../../../shared/contract/model.ts";
import { choiceOf, modelChoices, searchChoices } from "./model-choices.ts";

const model = (providerId: string, id: string, changes: Partial<Model> = {}): Model => ({
  ...{ providerId, provider: "openai", id, name: id.toUpperCase(), tier: "standard", contextWindow: null },
  ...{ maxOutputTokens: null, prices: null, aliases: [], health: "healthy", source: "test", asOf: "2026-11-21" },
  capabilities: { tools: true, vision: false, streaming: true, reasoning: false, embedding: false },
  ...changes,
});

test("a model that two providers serve is one choice, as healthy as the better of them", () => {
  const choices = modelChoices([
    model("mine", "gpt", { health: "down" }),
    model("everybodys", "gpt", { health: "healthy" }),
    model("mine", "embed", { capabilities: { ...model("", "").capabilities, embedding: true } }),
    model("router", "gpt", { provider: "openrouter" }),
  ]);
  expect(choices).toMatchObject([
    { name: "openai/gpt", health: "healthy" },
    { name: "openrouter/gpt", provider: "OpenRouter" },
  ]);
});

test("a kept name is the vendor's own model, also where a gateway has one that is called so", () => {
  const choices = modelChoices([model("router", "openai/gpt", { provider: "openrouter" }), model("mine", "gpt")]);
  expect(choiceOf(choices, "openai/gpt")?.name).toBe("openai/gpt");
  expect(choiceOf(choices, "openrouter/openai/gpt")?.name).toBe("openrouter/openai/gpt");
  expect(choiceOf(choices, "gpt")?.name).toBe("openai/gpt");
  expect(choiceOf(choices, "gone")).toBeUndefined();
  expect(choiceOf(choices, null)).toBeUndefined();
});

test("a search finds by any of the names, word by word", () => {
  const choices = modelChoices([model("a", "gpt-5"), model("b", "glm-5", { provider: "zai" })]);
  expect(searchChoices(choices, "z.ai GLM").map(({ id }) => id)).toEqual(["glm-5"]);
  expect(searchChoices(choices, "5")).toHaveLength(2);
  expect(searchChoices(choices, "openai glm")).toEqual([]);
});
