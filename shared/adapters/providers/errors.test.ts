import { describe, expect, it } from "vitest";
import type { ProviderErrorKind } from "../../ports/model-provider.ts";
import {
  failureOf,
  failureOfErrorBody,
  failureOfResponse,
  failureOfThrown,
  retryAfterMsOf,
  type Vendor,
} from "./errors.ts";

const vendor: Vendor = {
  name: "Acme",
  baseUrl: "https://user:pass@acme.example/v1?token=hidden",
  baseUrlSetting: "ACME_BASE_URL",
  keySetting: "ACME_API_KEY",
  secret: "acme-very-secret",
};
const now = Date.parse("2026-11-21T12:00:00Z");
const respond = (status: number, error: unknown) =>
  failureOfResponse(vendor, { status, headers: new Headers(), body: JSON.stringify({ error }), now, model: "m-1" });

describe("errors of vendors", () => {
  it.each<[number, unknown, ProviderErrorKind]>([
    [429, { code: "insufficient_quota", message: "You exceeded your current quota" }, "quota_exceeded"],
    [429, { code: "1113", message: "Insufficient balance" }, "quota_exceeded"],
    [400, { type: "invalid_request_error", message: "Your credit balance is too low" }, "quota_exceeded"],
    [
      400,
      { code: "context_length_exceeded", message: "This model's maximum context length is 8" },
      "context_too_large",
    ],
    [400, { code: "invalid_api_key", message: "Incorrect API key provided" }, "unauthenticated"],
    [400, "model 'x' not found", "not_found"],
    [500, { type: "overloaded_error", message: "Overloaded" }, "overloaded"],
    [400, { type: "invalid_request_error", message: "temperature: must be a number" }, "invalid_request"],
    [418, null, "invalid_request"],
  ])("trusts the body's word over the status: %i %j is %s", (status, error, kind) => {
    expect(respond(status, error)).toMatchObject({ kind, status });
  });

  it("says what to do, with the setting's name", () => {
    expect(respond(401, { message: "no" }).message).toBe(
      "Acme refused the API key (401). Set ACME_API_KEY to a valid key and restart.",
    );
    expect(failureOf("unreachable", vendor).message).toBe(
      "Acme cannot be reached at https://acme.example. Check the network and ACME_BASE_URL.",
    );
    expect(respond(404, { message: "no" }).message).toContain('does not know the model "m-1" (404)');
  });

  it("shows no secret in any sentence, even quoted by the vendor, and stays on one short line", () => {
    const message = `bad\nkey acme-very-secret and sk-proj-abcdefghijkl or Bearer abc.def ${"x".repeat(5_000)}`;
    for (const kind of ["invalid_request", "server_error", "protocol", "unauthenticated"] as const) {
      const sentence = failureOf(kind, vendor, { detail: message }).message;
      expect(sentence).not.toMatch(/very-secret|abcdefghijkl|abc\.def|pass|hidden|\n/);
      expect(sentence.length).toBeLessThan(600);
    }
  });

  it.each([
    [{ "retry-after": "7" }, 7_000],
    [{ "retry-after": "Sat, 21 Nov 2026 12:00:30 GMT" }, 30_000],
    [{ "retry-after": "Sat, 21 Nov 2026 11:00:00 GMT" }, 0],
    [{ "retry-after-ms": "250", "retry-after": "9" }, 250],
    [{ "retry-after": "999999" }, 3_600_000],
    [{ "retry-after": "soon" }, undefined],
    [{}, undefined],
  ])("reads the wish to wait in %j as %s ms", (headers: Record<string, string>, ms) => {
    expect(retryAfterMsOf(new Headers(headers), now)).toBe(ms);
  });

  it("finds the failure in whatever was thrown", () => {
    const sdkError = Object.assign(new Error("wrapped"), {
      error: { type: "error", error: { type: "rate_limit_error" } },
    });
    expect(failureOfThrown(vendor, sdkError).kind).toBe("rate_limited");
    expect(failureOfThrown(vendor, new SyntaxError("Unexpected token")).kind).toBe("protocol");
    expect(failureOfThrown(vendor, undefined).kind).toBe("protocol");
    expect(failureOfErrorBody(vendor, { code: 402, message: "pay" })?.kind).toBe("quota_exceeded");
    expect(failureOfErrorBody(vendor, 7)).toBeUndefined();
  });
});
