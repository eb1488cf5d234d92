import { describe, expect, it } from "vitest";
import { Settings } from "./settings.ts";

const Only = Settings.pick({ PROVIDER_LOGINS: true });
const read = (value: unknown) =>
  Only.safeParse({ PROVIDER_LOGINS: typeof value === "string" ? value : JSON.stringify(value) });
const problems = (value: unknown): string[] =>
  (read(value).error?.issues ?? []).map(({ path, message }) => `${path.join(".")} ${message}`);

const redirect = {
  clientId: "mosaic",
  authorizationUrl: "https://vendor.example/authorize?audience=api",
  tokenUrl: "https://vendor.example/token",
};

describe("PROVIDER_LOGINS", () => {
  it("is off where nothing is set", () => {
    expect(Only.parse({})).toEqual({});
    expect(Only.parse({ PROVIDER_LOGINS: "" })).toEqual({});
  });

  it.each([
    { anthropic: redirect },
    { anthropic: { ...redirect, clientSecret: "s", clientAuthentication: "basic", scopes: "a b:c" } },
    { zai: { clientId: "mosaic", issuer: "https://vendor.example" } },
    { zai: { clientId: "mosaic", issuer: "http://127.0.0.1:4000", method: "device" } },
    { openai: { clientId: "mosaic" } },
    { openai: { clientId: "mosaic", deviceUrl: "https://v.example/device", tokenUrl: "https://v.example/token" } },
    { openrouter: { authorizationUrl: "http://localhost:1/auth", tokenUrl: "http://localhost:1/keys" } },
    { "openai-compatible": { ...redirect, baseUrl: "https://models.example/v1" } },
  ])("takes %j", (value) => {
    expect(problems(value)).toEqual([]);
  });

  it.each([
    ["{", "PROVIDER_LOGINS must be JSON"],
    [[], "PROVIDER_LOGINS Invalid input: expected record"],
    [{ mistral: redirect }, 'PROVIDER_LOGINS Unrecognized key: "mistral"'],
    [{ zai: { ...redirect, client: "x" } }, 'PROVIDER_LOGINS.zai Unrecognized key: "client"'],
    [{ zai: { ...redirect, tokenUrl: "vendor/token" } }, "PROVIDER_LOGINS.zai.tokenUrl must be a whole URL"],
    [{ zai: { ...redirect, tokenUrl: "http://vendor.example" } }, "PROVIDER_LOGINS.zai.tokenUrl must be an https URL"],
    [{ zai: { ...redirect, tokenUrl: "file:///etc/passwd" } }, "PROVIDER_LOGINS.zai.tokenUrl must be an https URL"],
    [{ zai: { ...redirect, tokenUrl: "https://a:b@vendor.example" } }, "PROVIDER_LOGINS.zai.tokenUrl must not hold"],
    [{ zai: { ...redirect, authorizationUrl: "https://v.example/#x" } }, "PROVIDER_LOGINS.zai.authorizationUrl must"],
    [{ zai: { ...redirect, clientId: undefined } }, "PROVIDER_LOGINS.zai.clientId is needed"],
    [{ zai: { ...redirect, tokenUrl: undefined } }, "PROVIDER_LOGINS.zai.tokenUrl is needed"],
    [{ zai: { ...redirect, authorizationUrl: undefined } }, "PROVIDER_LOGINS.zai.authorizationUrl is needed"],
    [{ zai: { ...redirect, method: "device" } }, "PROVIDER_LOGINS.zai.deviceUrl is needed"],
    [{ zai: { ...redirect, method: "implicit" } }, 'PROVIDER_LOGINS.zai.method must be "redirect" or "device"'],
    [{ zai: { ...redirect, scopes: "a\nb" } }, "PROVIDER_LOGINS.zai.scopes must be words"],
    [{ zai: { ...redirect, baseUrl: "https://v.example" } }, "PROVIDER_LOGINS.zai.baseUrl is not for zai"],
    [{ ollama: redirect }, "PROVIDER_LOGINS.ollama.baseUrl is needed for ollama"],
    [{ openrouter: { tokenUrl: "https://v.example" } }, "PROVIDER_LOGINS.openrouter.tokenUrl and authorizationUrl go"],
  ])("says what is wrong with %j in one sentence", (value, start) => {
    const found = problems(value);
    expect(found).toHaveLength(1);
    expect(found[0]?.startsWith(start)).toBe(true);
  });

  it("shows no value that somebody mistyped: it may be a secret", () => {
    const secret = "very-secret\u0007value";
    const wrong = { clientId: secret, clientSecret: secret, tokenUrl: secret, scopes: secret, method: secret };
    expect(problems({ zai: wrong }).join("\n")).not.toContain("very-secret");
    expect(problems(`{"zai": "${"very-secret"}`).join("\n")).not.toContain("very-secret");
  });
});
