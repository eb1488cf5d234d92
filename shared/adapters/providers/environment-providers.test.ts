import { describe, expect, it } from "vitest";
import { BUILT_IN_IDS } from "../../domain/providers/provider-record.ts";
import { environmentProviders } from "./environment-providers.ts";

describe("the environment's providers", () => {
  it("are those with a key, and an Ollama with an address, under ids that outlive a restart", () => {
    const { records } = environmentProviders({
      OLLAMA_BASE_URL: "http://127.0.0.1:11434",
      ZAI_API_KEY: "k",
      OPENROUTER_API_KEY: "k",
      OPENAI_API_KEY: "k",
      ANTHROPIC_API_KEY: "k",
    });
    const { anthropic, openai, openrouter, zai, ollama } = BUILT_IN_IDS;
    expect(records.map(({ id }) => id)).toEqual([anthropic, openai, openrouter, zai, ollama]);
    expect(records.every(({ source, route }) => source === "environment" && route === "operator")).toBe(true);
  });

  it("are none where nothing is set, or Ollama is off", () => {
    expect(environmentProviders({ OLLAMA_BASE_URL: "off", ANTHROPIC_API_KEY: "" }).records).toEqual([]);
    expect(environmentProviders({ OPENAI_BASE_URL: "http://127.0.0.1:9" }).records).toEqual([]);
  });

  it("carry no key; each is handed out for its own instance alone", () => {
    const { records, secretOf } = environmentProviders({ ANTHROPIC_API_KEY: "sk-one", OPENAI_API_KEY: "sk-two" });
    expect(JSON.stringify(records)).not.toContain("sk-");
    expect(secretOf(BUILT_IN_IDS.openai)).toEqual({ apiKey: "sk-two" });
    expect(secretOf(BUILT_IN_IDS.ollama)).toBeNull();
  });
});
