import { describe, expect, it } from "vitest";
import type { ProviderErrorKind } from "../../ports/model-provider.ts";
import { aProviderRecord, sealedAs } from "../../testing/providers/open-at.ts";
import { vendorOf } from "./access.ts";
import { failureOf, type SentenceFacts } from "./errors.ts";

const environment = vendorOf(aProviderRecord({ source: "environment", displayName: "Anthropic" }));
const stored = vendorOf(aProviderRecord({ displayName: "Work Claude", credential: sealedAs("api-key") }));
const login = vendorOf(aProviderRecord({ displayName: "Work Claude", credential: sealedAs("oauth") }));
const connected = vendorOf(
  aProviderRecord({ kind: "ollama", route: "connector", displayName: "Ollama on tower", connectorId: "c" }),
);
const lmStudio = vendorOf(
  aProviderRecord({ kind: "openai-compatible", displayName: "LM Studio", baseUrl: "https://models.example.org" }),
);
const sentence = (vendor: typeof stored, kind: ProviderErrorKind, facts: SentenceFacts = {}) =>
  failureOf(kind, vendor, facts).message;

const KINDS: readonly ProviderErrorKind[] = [
  "unauthenticated",
  "forbidden",
  "not_found",
  "invalid_request",
  "context_too_large",
  "rate_limited",
  "quota_exceeded",
  "overloaded",
  "server_error",
  "unreachable",
  "timeout",
  "stream_cut",
  "protocol",
  "aborted",
];

describe("the sentences on what went wrong", () => {
  it("name the operator's variable for what comes from the environment", () => {
    expect(sentence(environment, "unauthenticated", { status: 401 })).toBe(
      "Anthropic refused the API key (401). Set ANTHROPIC_API_KEY to a valid key and restart.",
    );
    expect(sentence(environment, "unreachable")).toBe(
      "Anthropic cannot be reached at https://api.anthropic.com. Check the network and ANTHROPIC_BASE_URL.",
    );
  });

  it("name the place in the product for what a person saved", () => {
    expect(sentence(stored, "unauthenticated", { status: 401 })).toBe(
      'Anthropic refused the API key (401). Change the key of "Work Claude" under Settings, Providers.',
    );
    expect(sentence(stored, "unauthenticated", { credential: "missing" })).toBe(
      '"Work Claude" has no API key. Enter one under Settings, Providers.',
    );
    expect(sentence(lmStudio, "unauthenticated", { status: 401 })).toBe(
      'The server "LM Studio" asks for a key (401). Enter it for "LM Studio" under Settings, Providers.',
    );
    expect(sentence(lmStudio, "unreachable")).toBe(
      'The server "LM Studio" cannot be reached. Check the network and the address of "LM Studio" under Settings, Providers.',
    );
  });

  it("tell nobody where somebody else's server is; whoever manages it reads its address in the settings", () => {
    const places = ["http://10.1.2.3:11434", "https://models.internal.example/v1"].flatMap((baseUrl) => [
      vendorOf(aProviderRecord({ kind: "ollama", source: "environment", displayName: "Ollama", baseUrl })),
      vendorOf(aProviderRecord({ kind: "openai-compatible", displayName: "LM Studio", baseUrl, scope: "system" })),
      vendorOf(aProviderRecord({ kind: "anthropic", source: "environment", displayName: "Anthropic" }), baseUrl),
    ]);
    for (const vendor of places) {
      for (const kind of KINDS) {
        for (const facts of [{}, { status: 401 }, { redirectedTo: "http://10.9.9.9:1/x" }])
          expect(sentence(vendor, kind, facts)).not.toMatch(/10\.|internal|https?:/);
      }
    }
  });

  it("tell where a redirect points only where that is public and holds no secret", () => {
    const key = "sk-Secret0123secret";
    const vendor = { ...stored, secrets: [key] };
    const to = (redirectedTo: string) => sentence(vendor, "protocol", { status: 302, redirectedTo });
    expect(to("https://new.anthropic.com/v1?x")).toContain("points to https://new.anthropic.com instead (302)");
    for (const host of [key, btoa(key).replaceAll("=", ""), `a-${key.toUpperCase()}`]) {
      expect(to(`https://${host}.evil.com/`)).toContain("points to another address instead (302)");
      expect(to(`https://${host}.evil.com/`)).not.toContain("evil");
    }
  });

  it("say to log in again when a login has ended", () => {
    expect(sentence(login, "unauthenticated", { status: 401 })).toBe(
      'The login of "Work Claude" at Anthropic has ended (401). Log in again under Settings, Providers.',
    );
  });

  it("say what to start on which machine when its connector is away", () => {
    expect(sentence(connected, "unreachable", { isMachineAway: true })).toBe(
      'The machine that "Ollama on tower" runs on is not connected; start `npx mosaic connect` there.',
    );
  });

  it("say what to do about a model that went away", () => {
    expect(sentence(stored, "not_found", { status: 404, model: "m-1" })).toBe(
      'Anthropic does not have the model "m-1" (404); it may have been withdrawn. Choose another model, or check the address of "Work Claude" under Settings, Providers.',
    );
    expect(sentence(connected, "not_found", { model: "llama3" })).toContain("`ollama pull llama3`");
  });

  it("say what to do about a secret that cannot be opened", () => {
    expect(sentence(stored, "unauthenticated", { credential: "sealed-by-lost-key" })).toContain("CREDENTIALS_KEYS");
    expect(sentence(stored, "unauthenticated", { credential: "damaged" })).toBe(
      'The saved key of "Work Claude" cannot be opened. Enter it again under Settings, Providers.',
    );
  });

  it("are one line, end as sentences do, and give no variable to somebody who has none to set", () => {
    for (const kind of KINDS) {
      for (const vendor of [environment, stored, login, connected, lmStudio]) {
        for (const facts of [{}, { status: 500, detail: "It broke", model: "m-1", retryAfterMs: 7_000 }]) {
          const text = sentence(vendor, kind, facts);
          expect(text).toMatch(/^["A-Z][^\n]+\.$/);
          if (vendor !== environment) expect(text).not.toMatch(/[A-Z]+_(API_KEY|BASE_URL)/);
        }
      }
    }
  });

  it("show no secret, even quoted by the vendor, and stay short", () => {
    const vendor = {
      ...vendorOf(aProviderRecord({ baseUrl: "https://user:pass@acme.example/v1?token=hidden" })),
      secrets: ["acme-very-secret"],
    };
    const encoded = btoa("Bearer acme-very-secret");
    const detail = `bad\nkey acme-very-secret, ACME-VERY-SECRET, ${encoded} and sk-proj-abcdefghijkl or Bearer abc.def ${"x".repeat(5_000)}`;
    for (const kind of KINDS) {
      const text = sentence(vendor, kind, { detail });
      expect(text).not.toMatch(/very-secret|VERY-SECRET|dmVyeS1z|ZlcnktC|2ZXJ5LX|abcdefghijkl|abc\.def|pass|hidden|\n/);
      expect(text.length).toBeLessThan(600);
    }
  });
});
