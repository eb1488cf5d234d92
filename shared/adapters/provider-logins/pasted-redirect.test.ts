import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readRedirect } from "./pasted-redirect.ts";

const URI = "https://mosaic.example/api/providers/openrouter/callback";
const read = (text: string) => Object.fromEntries(readRedirect(text, URI));

describe("an address that is pasted back", () => {
  it.each([
    `${URI}?code=c&state=s`,
    `  ${URI}?code=c&state=s\n`,
    `"${URI}?code=c&state=s"`,
    `<${URI}?code=c&state=s>`,
    `${URI}?code=c\n    &state=s`,
    `${URI}?state=s&code=c&session_state=x&prompt=none#fragment`,
    "?code=c&state=s",
    "code=c&state=s",
    "/api/providers/openrouter/callback?code=c&state=s",
  ])("is understood however it was copied: %j", (text) => {
    expect(read(text)).toEqual({ code: "c", state: "s" });
  });

  it("keeps what decides, decoded once", () => {
    expect(read(`${URI}?error=access_denied&error_description=No%20%3Cb%3E&state=s`)).toEqual({
      error: "access_denied",
      error_description: "No <b>",
      state: "s",
    });
    expect(read(`${URI}?code=a%2Bb%2526&state=s&iss=https%3A%2F%2Fv`)).toEqual({
      code: "a+b%26",
      state: "s",
      iss: "https://v",
    });
  });

  it.each([
    "",
    "hello",
    "javascript:alert(1)",
    "data:text/html,code=c&state=s",
    URI,
    `${URI}?code=c`,
    `${URI}?state=s`,
    `${URI}?code=&state=s`,
    `${URI}?code=c&error=e&state=s`,
    `${URI}?code=c&code=d&state=s`,
    `${URI}?code=c&state=s&state=t`,
    "https://evil.example/api/providers/openrouter/callback?code=c&state=s",
    "http://mosaic.example/api/providers/openrouter/callback?code=c&state=s",
    "https://mosaic.example.evil/api/providers/openrouter/callback?code=c&state=s",
    "https://mosaic.example/api/providers/anthropic/callback?code=c&state=s",
    "https://mosaic.example/api/providers/openrouter/callback/../x?code=c&state=s",
  ])("is refused with what to paste instead: %j", (text) => {
    expect(() => readRedirect(text, URI)).toThrow(expect.objectContaining({ code: "invalid_request" }));
  });

  it("never fails in any other way, whatever is pasted, and repeats none of it", () => {
    const pasted = fc.oneof(fc.string({ unit: "binary" }), fc.webUrl({ withQueryParameters: true }));
    for (const text of fc.sample(pasted, 500)) {
      try {
        readRedirect(text, URI);
      } catch (error) {
        expect(error).toMatchObject({ code: "invalid_request" });
        if (text.length > 20) expect(String(error)).not.toContain(text);
      }
    }
  });
});
