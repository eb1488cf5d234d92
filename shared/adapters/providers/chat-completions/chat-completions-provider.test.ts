import { describe, expect, it } from "vitest";
import type { ModelRequest } from "../../../ports/model-provider.ts";
import { ask, collect, failureOfEvents, finishOfEvents } from "../../../testing/providers/collect-events.ts";
import { describeProviderContract } from "../../../testing/providers/contract-suite.ts";
import { openAt } from "../../../testing/providers/open-at.ts";
import { startRawServer } from "../../../testing/providers/raw-server.ts";
import { CHAT_WIRE } from "../../../testing/providers/vendor-wires.ts";
import { type ChatVendor, OPENROUTER, ZAI } from "./chat-vendor.ts";

const secret = "or-v1-0123456789abcdef";

describeProviderContract({
  name: "OpenRouter",
  create: (url) => openAt("openrouter", `${url}/api/v1`, secret),
  wire: CHAT_WIRE,
  model: "anthropic/claude-sonnet-4.6",
  secret,
});

describeProviderContract({
  name: "Z.ai",
  create: (url) => openAt("zai", `${url}/api/paas/v4`, secret),
  wire: CHAT_WIRE,
  model: "glm-5",
  secret,
});

describeProviderContract({
  name: "An OpenAI-compatible server",
  create: (url) => openAt("openai-compatible", url, secret),
  wire: CHAT_WIRE,
  model: "m",
  secret,
});

const sse = (chunks: readonly unknown[]): string =>
  [...chunks.map((chunk) => JSON.stringify(chunk)), "[DONE]"].map((data) => `data: ${data}\n\n`).join("");
const choice = (delta: Record<string, unknown>, finish_reason: string | null = null) => ({
  model: "m",
  choices: [{ index: 0, delta, finish_reason }],
});

async function read(record: ChatVendor, chunks: readonly unknown[], request: ModelRequest = ask("glm-5", "hi")) {
  const server = await startRawServer();
  server.answer((response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(sse(chunks));
  });
  const provider = openAt(record.kind, server.url, secret, { publicUrl: "https://mosaic.example" });
  const collected = await collect(provider, request);
  await server.close();
  return { collected, request: server.requests[0] };
}

async function list(record: ChatVendor, status: number, body: unknown) {
  const server = await startRawServer();
  server.answer((response) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  });
  const provider = openAt(record.kind, server.url, secret);
  try {
    return await provider.models(new AbortController().signal);
  } finally {
    await server.close();
  }
}

const loop: ModelRequest = {
  model: "glm-5",
  reasoning: "high",
  temperature: 1.8,
  maxOutputTokens: 100,
  system: "Be brief.",
  messages: [
    {
      role: "assistant",
      parts: [
        { type: "thinking", text: "I need the clock." },
        { type: "tool-call", callId: "c1", name: "clock", input: "not an object", step: 0 },
      ],
    },
    { role: "user", parts: [{ type: "tool-result", callId: "c1", output: { now: 1 }, isError: false, step: 0 }] },
  ],
};

describe("OpenRouter's own ways", () => {
  it("takes the cost from the vendor's last chunk", async () => {
    const usage = { prompt_tokens: 10, completion_tokens: 5, cost: 0.0123456 };
    const { collected } = await read(OPENROUTER, [
      choice({ content: "x" }, "stop"),
      { model: "m", choices: [], usage },
    ]);
    expect(finishOfEvents(collected)).toMatchObject({ costMicroUsd: 12_346, usage: { inputTokens: 10 } });
  });

  it("reads `reasoning`, ends it before the text, and says who asks", async () => {
    const { collected, request } = await read(
      OPENROUTER,
      [choice({ reasoning: "hm", content: "" }), choice({ content: "x" }, "stop")],
      loop,
    );
    expect(collected.map(({ type }) => type)).toEqual(["thinking-delta", "thinking-end", "text-delta", "finish"]);
    expect(request?.headers).toMatchObject({
      "http-referer": "https://mosaic.example",
      authorization: `Bearer ${secret}`,
    });
    expect(request?.body).toMatchObject({ reasoning: { effort: "high" }, usage: { include: true }, temperature: 1.8 });
  });

  it("lists models with their facts, prices from text, and survives entries it does not understand", async () => {
    const models = await list(OPENROUTER, 200, {
      data: [
        {
          id: "a/one",
          name: "One",
          context_length: 200_000,
          architecture: { input_modalities: ["text", "image"] },
          pricing: { prompt: "0.000003", completion: "0.000015", input_cache_read: "0.0000003" },
          top_provider: { max_completion_tokens: 64_000 },
          supported_parameters: ["tools", "reasoning"],
        },
        {
          id: "openrouter/auto",
          pricing: { prompt: "-1", completion: "-1" },
          context_length: "many",
          top_provider: null,
        },
      ],
    });
    expect(models[0]).toMatchObject({
      contextWindow: 200_000,
      maxOutputTokens: 64_000,
      prices: {
        inputMicroUsdPerMTok: 3_000_000,
        outputMicroUsdPerMTok: 15_000_000,
        cachedInputMicroUsdPerMTok: 300_000,
      },
      capabilities: { tools: true, vision: true, reasoning: true, embedding: false },
    });
    expect(models[1]).toMatchObject({ id: "openrouter/auto", prices: null, contextWindow: null });
  });
});

describe("Z.ai's own ways", () => {
  it("switches thinking by name, keeps the temperature to 1, and gives reasoning back in a tool loop", async () => {
    const { request } = await read(ZAI, [choice({ content: "x" }, "stop")], loop);
    expect(request?.body).toMatchObject({ thinking: { type: "enabled" }, temperature: 1, max_tokens: 100 });
    expect(request?.body).not.toHaveProperty("store");
    expect(request?.body).toMatchObject({
      messages: [
        { role: "system", content: "Be brief." },
        {
          role: "assistant",
          reasoning_content: "I need the clock.",
          tool_calls: [{ id: "c1", function: { name: "clock", arguments: '{"invalid":"not an object"}' } }],
        },
        { role: "tool", tool_call_id: "c1", content: '{"now":1}' },
      ],
    });
    const off = await read(ZAI, [choice({ content: "x" }, "stop")]);
    expect(off.request?.body).toMatchObject({ thinking: { type: "disabled" } });
  });

  it("takes tool arguments as an object as well as text in pieces, with or without ids", async () => {
    const { collected } = await read(ZAI, [
      choice({ tool_calls: [{ index: 0, function: { name: "clock", arguments: { zone: "UTC" } } }] }),
      choice({ tool_calls: [{ index: 1, id: "c2", function: { name: "weather", arguments: '{"city":' } }] }),
      choice({ tool_calls: [{ index: 1, function: { arguments: '"Bern"}' } }] }),
      choice({}, "tool_calls"),
    ]);
    const calls = collected.flatMap((event) => (event.type === "tool-call" ? [event] : []));
    expect(calls).toMatchObject([
      { name: "clock", input: { zone: "UTC" } },
      { name: "weather", callId: "c2", input: { city: "Bern" } },
    ]);
    expect(calls[0]?.callId).toMatch(/^call_.+/);
  });

  it("drops a call the output limit cut off", async () => {
    const cut = { index: 0, id: "c", function: { name: "clock", arguments: '{"zo' } };
    const { collected } = await read(ZAI, [choice({ tool_calls: [cut] }), choice({}, "length")]);
    expect(new Set(collected.map(({ type }) => type))).toEqual(new Set(["tool-input-delta", "finish"]));
  });

  it.each([
    ["sensitive", "refusal"],
    ["content_filter", "refusal"],
  ])("reads the finish reason %s as %s", async (told, reason) => {
    expect(finishOfEvents((await read(ZAI, [choice({}, told)])).collected).reason).toBe(reason);
  });

  it("reads a network error of the vendor's own as a failure worth another try", async () => {
    const { collected } = await read(ZAI, [choice({ content: "x" }), choice({}, "network_error")]);
    expect(failureOfEvents(collected)).toMatchObject({ kind: "server_error", retryable: true });
  });

  it("checks its key with a request that costs nothing, for want of a list", async () => {
    const listed = await list(ZAI, 400, { error: { code: "1214", message: "messages required" } });
    expect(listed[0]).toEqual({ id: "glm-5" });
    await expect(list(ZAI, 401, { error: { code: "1000", message: "no" } })).rejects.toMatchObject({
      failure: { kind: "unauthenticated" },
    });
  });
});
