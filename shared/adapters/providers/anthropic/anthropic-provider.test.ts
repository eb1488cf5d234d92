import { describe, expect, it } from "vitest";
import { ask, collect, failureOfEvents, finishOfEvents } from "../../../testing/providers/collect-events.ts";
import { describeProviderContract } from "../../../testing/providers/contract-suite.ts";
import { openAt } from "../../../testing/providers/open-at.ts";
import { startRawServer } from "../../../testing/providers/raw-server.ts";
import { ANTHROPIC_WIRE } from "../../../testing/providers/vendor-wires.ts";

const secret = "sk-ant-0123456789abcdef";
const model = "claude-sonnet-4-6";

describeProviderContract({
  name: "Anthropic",
  create: (url) => openAt("anthropic", url, secret),
  wire: ANTHROPIC_WIRE,
  model,
  secret,
});

/** One answer made of these events. */
async function read(events: Record<string, unknown>[]) {
  const server = await startRawServer();
  server.answer((response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(""));
  });
  const provider = openAt("anthropic", server.url, secret);
  const collected = await collect(provider, ask(model, "hi"));
  await server.close();
  return { collected, request: server.requests[0] };
}

const start = { type: "message_start", message: { model, usage: { input_tokens: 10, output_tokens: 1 } } };
const block = (index: number, content_block: unknown) => ({ type: "content_block_start", index, content_block });
const delta = (index: number, fields: unknown) => ({ type: "content_block_delta", index, delta: fields });
const stop = (index: number) => ({ type: "content_block_stop", index });
const end = (stop_reason: string) => [
  { type: "message_delta", delta: { stop_reason }, usage: { output_tokens: 9 } },
  { type: "message_stop" },
];
const broken = [
  block(0, { type: "tool_use", id: "t1", name: "clock", input: {} }),
  delta(0, { type: "input_json_delta", partial_json: '{"zone": "U' }),
  stop(0),
];

describe("Anthropic's own ways", () => {
  it("sends the key and the version in headers, and no trace of a retry", async () => {
    const { request } = await read([start, ...end("end_turn")]);
    expect(request?.path).toBe("/v1/messages");
    expect(request?.headers).toMatchObject({ "x-api-key": secret, "anthropic-version": "2023-06-01" });
    expect(request?.headers.authorization).toBeUndefined();
  });

  it("keeps signatures and redacted thinking for the next request", async () => {
    const { collected } = await read([
      start,
      block(0, { type: "thinking", thinking: "", signature: "" }),
      delta(0, { type: "thinking_delta", thinking: "hm" }),
      delta(0, { type: "signature_delta", signature: "SI" }),
      delta(0, { type: "signature_delta", signature: "G" }),
      stop(0),
      block(1, { type: "redacted_thinking", data: "BLOB" }),
      stop(1),
      ...end("end_turn"),
    ]);
    expect(collected.filter(({ type }) => type === "thinking-end")).toEqual([
      { type: "thinking-end", signature: "SIG" },
      { type: "thinking-end", redacted: "BLOB" },
    ]);
  });

  it("counts cache reads and writes as input, and only reads as cached", async () => {
    const usage = { input_tokens: 3, cache_read_input_tokens: 100, cache_creation_input_tokens: 20, output_tokens: 1 };
    const { collected } = await read([{ type: "message_start", message: { model, usage } }, ...end("end_turn")]);
    expect(finishOfEvents(collected).usage).toEqual({ inputTokens: 123, outputTokens: 9, cachedTokens: 100 });
  });

  it("drops a call the output limit cut off, and hands a malformed one to its tool", async () => {
    const limited = await read([start, ...broken, ...end("max_tokens")]);
    expect(limited.collected.map(({ type }) => type)).toEqual(["tool-input-delta", "finish"]);
    const malformed = await read([start, ...broken, ...end("tool_use")]);
    expect(malformed.collected.at(1)).toMatchObject({ type: "tool-call", callId: "t1", input: '{"zone": "U' });
  });

  it.each([
    ["refusal", "refusal"],
    ["stop_sequence", "stop"],
    ["model_context_window_exceeded", "length"],
    ["a_reason_of_tomorrow", "stop"],
  ])("reads the stop reason %s as %s", async (told, reason) => {
    expect(finishOfEvents((await read([start, ...end(told)])).collected).reason).toBe(reason);
  });

  it("tells a context that is too large from any other bad request", async () => {
    const server = await startRawServer();
    server.answer((response) => {
      response.writeHead(400, { "content-type": "application/json" });
      const error = { type: "invalid_request_error", message: "prompt is too long: 1200000 tokens > 1000000 maximum" };
      response.end(JSON.stringify({ type: "error", error }));
    });
    const events = await collect(openAt("anthropic", server.url, secret), ask(model, "hi"));
    await server.close();
    expect(failureOfEvents(events)).toMatchObject({ kind: "context_too_large", retryable: false, status: 400 });
  });
});
