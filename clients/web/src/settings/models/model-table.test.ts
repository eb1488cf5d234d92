import { expect, test } from "vitest";
import type { Model } from "../../../../../shared/contract/model.ts";
import { formatWindow, matching, type Order, sorted } from "./model-table.ts";

const model = (id: string, changes: Partial<Model> = {}): Model => ({
  ...{
    providerId: "p",
    provider: "openai",
    id,
    name: id,
    tier: "standard",
    contextWindow: 1000,
    maxOutputTokens: null,
  },
  prices: { inputMicroUsdPerMTok: 1, outputMicroUsdPerMTok: 5 },
  capabilities: { tools: true, vision: false, streaming: true, reasoning: false, embedding: false },
  ...{ aliases: [], health: "healthy", source: "test", asOf: "2026-11-21" },
  ...changes,
});
const models = [
  model("m-10", { contextWindow: null, prices: null, health: "down" }),
  model("m-2", { tier: "local", prices: null, provider: "ollama" }),
  model("eye", { tier: "premium", aliases: ["seer"], capabilities: { ...model("x").capabilities, vision: true } }),
];
const byKind = ({ provider }: Model) => provider;
const ids = (found: readonly Model[]) => found.map(({ id }) => id);

test.each([
  ["", ["m-10", "m-2", "eye"]],
  ["vision", ["eye"]],
  ["SEER premium", ["eye"]],
  ["local free", ["m-2"]],
  ["openai m-", ["m-10"]],
  ["not reachable", ["m-10"]],
  ["nothing like it", []],
])("a search for %j finds what every word of it is true of", (search, expected) => {
  expect(ids(matching(models, search, byKind))).toEqual(expected);
});

test.each<[Order, string[]]>([
  [{ by: "name", descending: false }, ["eye", "m-2", "m-10"]],
  [{ by: "tier", descending: false }, ["eye", "m-10", "m-2"]],
  [{ by: "price", descending: false }, ["m-2", "eye", "m-10"]],
  [{ by: "price", descending: true }, ["eye", "m-2", "m-10"]],
  [{ by: "window", descending: true }, ["eye", "m-2", "m-10"]],
  [{ by: "health", descending: true }, ["m-10", "eye", "m-2"]],
])("by %j what is not known stands last", (order, expected) => {
  expect(ids(sorted(models, order, byKind))).toEqual(expected);
});

test("windows read as vendors write them", () => {
  expect([512, 8192, 200_000, 1_050_000, 1_000_000].map(formatWindow)).toEqual(["512", "8k", "200k", "1.05M", "1M"]);
});
