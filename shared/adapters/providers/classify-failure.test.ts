import { describe, expect, it } from "vitest";
import { isOutage } from "../../domain/providers/breaker.ts";
import type { ProviderErrorKind } from "../../ports/model-provider.ts";
import { aProviderRecord } from "../../testing/providers/open-at.ts";
import { vendorOf } from "./access.ts";
import { failureOfErrorBody, failureOfResponse, failureOfThrown, retryAfterMsOf } from "./classify-failure.ts";

const vendor = vendorOf(aProviderRecord());
const now = Date.parse("2026-11-21T12:00:00Z");
const respond = (status: number, error: unknown, headers: Record<string, string> = {}, model = "m-1") =>
  failureOfResponse(vendor, { status, headers: new Headers(headers), body: JSON.stringify({ error }), now, model });

describe("what a vendor's refusal means", () => {
  it.each<[number, unknown, ProviderErrorKind]>([
    [429, { code: "insufficient_quota", message: "You exceeded your current quota" }, "quota_exceeded"],
    [429, { code: "1113", message: "Insufficient balance" }, "quota_exceeded"],
    [400, { type: "invalid_request_error", message: "Your credit balance is too low" }, "quota_exceeded"],
    [
      400,
      { code: "context_length_exceeded", message: "This model's maximum context length is 8" },
      "context_too_large",
    ],
    [
      400,
      { type: "exceed_context_size_error", message: "the request exceeds the available context size" },
      "context_too_large",
    ],
    [400, { code: "invalid_api_key", message: "Incorrect API key provided" }, "unauthenticated"],
    [400, { code: 400, message: "API key not valid. Please pass a valid API key." }, "unauthenticated"],
    [402, { type: "billing_error", message: "Pay first." }, "quota_exceeded"],
    [400, "model 'x' not found", "not_found"],
    [500, { type: "overloaded_error", message: "Overloaded" }, "overloaded"],
    [400, { type: "invalid_request_error", message: "temperature: must be a number" }, "invalid_request"],
    [418, null, "invalid_request"],
  ])("trusts the body's word over the status: %i %j is %s", (status, error, kind) => {
    expect(respond(status, error)).toMatchObject({ kind, status });
  });

  const repeating = (name: string): [string, number, unknown][] => [
    [
      name,
      404,
      { type: "invalid_request_error", code: "model_not_found", message: `The model \`${name}\` does not exist.` },
    ],
    [name, 404, { type: "not_found_error", message: `model: ${name}` }],
    [name, 404, `model "${name}" not found, try pulling it first`],
    [name, 400, { code: 400, message: `${name} is not a valid model ID` }],
    [name, 400, { code: 400, message: `${name.toUpperCase()}: no such model` }],
    [`openrouter/${name}`, 400, { code: 400, message: `${name} is not a valid model ID` }],
    [name, 400, { type: "invalid_request_error", message: `messages.0: unexpected "${name}" in the input` }],
    [name, 500, { message: `Could not load ${name}` }],
    [name, 403, { code: 403, message: `${name} needs a verified organization` }],
  ];
  const TELLING = [
    "billing",
    "authentication_error",
    "invalid_api_key",
    "insufficient credits",
    "incorrect api key",
    "rate_limit",
    "overloaded",
    "1113",
  ];
  it.each(TELLING.flatMap(repeating))(
    "blames nobody for a name that the vendor repeats: %s, %i %j",
    (model, status, error) => {
      const { kind } = respond(status, error, {}, model);
      expect(["not_found", "invalid_request", "server_error", "forbidden"]).toContain(kind);
      // A server that fails is out of order after three in a row, whatever it says.
      if (status !== 500) expect(isOutage(kind)).toBe(false);
    },
  );

  it("lets what a person asks for be refused without blaming the key", () => {
    const flagged = {
      code: 403,
      message: "Input was flagged",
      metadata: { reasons: ["violence"], flagged_input: "..." },
    };
    expect(respond(403, flagged)).toMatchObject({ kind: "invalid_request", retryable: false });
    for (const error of [
      { type: "permission_error", message: "Your key may not use this." },
      { message: "Forbidden" },
      null,
    ])
      expect(respond(403, error)).toMatchObject({ kind: "forbidden", retryable: false });
    expect(respond(403, { code: "model_not_found", message: "Project `p` does not have access" }).kind).toBe(
      "not_found",
    );
    expect(isOutage("forbidden")).toBe(false);
  });

  it("takes a 403 for the key's where nothing was asked for that could be forbidden, or where it says so", () => {
    expect(respond(403, { message: "Forbidden" }, {}, "").kind).toBe("unauthenticated");
    expect(respond(403, { type: "authentication_error", message: "no" }).kind).toBe("unauthenticated");
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

  it("reads a redirect as an address that is not the vendor's any more, by its origin alone", () => {
    const failure = respond(302, null, { location: "https://else.anthropic.com/login?token=hidden" });
    expect(failure).toMatchObject({ kind: "protocol", status: 302 });
    expect(failure.message).toContain("points to https://else.anthropic.com instead");
    expect(failure.message).not.toContain("hidden");
  });

  it.each([
    [503, "connector_offline", "unreachable"],
    [502, "provider_failed", "unreachable"],
    [504, "provider_timeout", "timeout"],
    [403, "forbidden", "not_found"],
    [429, "rate_limited", "rate_limited"],
  ])("takes a connector's own word for what happened on its machine: %i %s is %s", (status, code, kind) => {
    const detail = 'The machine "tower" is not connected; start `mosaic connect` there.';
    const headers = new Headers({ "content-type": "application/problem+json" });
    const answer = { status, headers, body: JSON.stringify({ code, detail }), now };
    const connected = vendorOf(aProviderRecord({ kind: "ollama", route: "connector", displayName: "Ollama on tower" }));
    expect(failureOfResponse(connected, answer)).toMatchObject({ kind, status, message: detail });
    expect(failureOfResponse(vendor, answer).message).not.toBe(detail);
  });

  it("takes a connector's word that asking again is of no use", () => {
    const connected = vendorOf(aProviderRecord({ kind: "ollama", route: "connector", displayName: "Ollama on tower" }));
    const headers = new Headers({ "content-type": "application/problem+json" });
    const told = (retryable: boolean) => {
      const body = JSON.stringify({ code: "connector_offline", detail: "It was removed.", retryable });
      return failureOfResponse(connected, { status: 503, headers, body, now });
    };
    expect([told(false), told(true)]).toMatchObject([
      { kind: "unreachable", retryable: false },
      { kind: "unreachable", retryable: true },
    ]);
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
