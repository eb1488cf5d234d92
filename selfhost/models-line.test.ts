import { describe, expect, it } from "vitest";
import { modelsLine } from "./models-line.ts";

describe("the line that says which models are set up", () => {
  it("names each vendor with a key, and the address where it is not the vendor's own", () => {
    const env = { ANTHROPIC_API_KEY: "sk-a", ANTHROPIC_BASE_URL: "http://127.0.0.1:8790/", OPENAI_API_KEY: "sk-o" };
    expect(modelsLine(env, "http://127.0.0.1:11434")).toBe(
      "Models: Anthropic (key set, http://127.0.0.1:8790); OpenAI (key set); Ollama (http://127.0.0.1:11434).",
    );
  });

  it("shows no secret, not even one inside an address", () => {
    const env = { ZAI_API_KEY: "sk-secret", ZAI_BASE_URL: "https://me:pass-word@proxy.example/v4?key=hidden" };
    expect(modelsLine(env, "off")).toBe("Models: Z.ai (key set, https://proxy.example/v4).");
  });

  it("says that the guide answers where nothing is set up", () => {
    expect(modelsLine({ OPENAI_API_KEY: "", OPENAI_BASE_URL: "http://127.0.0.1:1" }, "off")).toBe(
      "Models: none configured; the built-in guide answers.",
    );
  });
});
