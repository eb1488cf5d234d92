import { describe, expect, it } from "vitest";
import type { ModelRequest } from "../../../ports/model-provider.ts";
import { ask, collect, finishOfEvents } from "../../../testing/providers/collect-events.ts";
import { describeProviderContract } from "../../../testing/providers/contract-suite.ts";
import { openAt } from "../../../testing/providers/open-at.ts";
import { startRawServer } from "../../../testing/providers/raw-server.ts";
import { OLLAMA_WIRE } from "../../../testing/providers/vendor-wires.ts";
import { contextFor } from "./ollama-request.ts";

describeProviderContract({
  name: "Ollama",
  create: (url) => openAt("ollama", url, null),
  wire: OLLAMA_WIRE,
  model: "m",
  secret: "ollama-has-no-key-to-show",
  // Its Ollama gives thinking the wrong field, no counts and no reason but `stop`: ours below has them.
  peerLacks: ["thinking", "usage", "finish"],
  beside: { "/api/show": { model_info: { "llama.context_length": 16_384 }, capabilities: ["completion", "tools"] } },
});

const THINKER = { model_info: { "qwen3.context_length": 40_960 }, capabilities: ["completion", "tools", "thinking"] };
const PLAIN = { model_info: { "llama.context_length": 4_096 }, capabilities: ["completion"] };

async function read(shown: unknown, lines: unknown[], request: ModelRequest = ask("m", "hi")) {
  const server = await startRawServer({ "/api/show": shown });
  server.answer((response) => {
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    response.end(lines.map((line) => JSON.stringify(line)).join("\n"));
  });
  const collected = await collect(openAt("ollama", `${server.url}/v1`, null), request);
  await server.close();
  return { collected, request: server.requests[0] };
}

const done = {
  model: "m",
  message: { content: "" },
  done: true,
  done_reason: "stop",
  prompt_eval_count: 4,
  eval_count: 2,
};

describe("Ollama's own ways", () => {
  it("uses the native door even where the address names `/v1`, and asks for the context it needs", async () => {
    const { request } = await read(THINKER, [done], ask("m", "x".repeat(30_000), { maxOutputTokens: 1_000 }));
    expect(request?.path).toBe("/api/chat");
    expect(request?.body).toMatchObject({ options: { num_ctx: 16_384, num_predict: 1_000 } });
  });

  it("never asks for more context than the model has", async () => {
    expect((await read(PLAIN, [done])).request?.body).toMatchObject({ options: { num_ctx: 4_096 } });
    expect([contextFor(10, 100, null), contextFor(100_000, 4_096, null), contextFor(1e6, 0, 131_072)]).toEqual([
      8_192, 65_536, 131_072,
    ]);
  });

  it("speaks of thinking only to a model that has it, and keeps it apart from the text", async () => {
    const lines = [
      { message: { thinking: "hm" } },
      { message: { thinking: "m" } },
      { message: { content: "x" } },
      done,
    ];
    const { collected, request } = await read(THINKER, lines, ask("m", "hi", { reasoning: "low" }));
    expect(request?.body).toMatchObject({ think: true });
    expect(collected.map(({ type }) => type)).toEqual([
      "thinking-delta",
      "thinking-delta",
      "thinking-end",
      "text-delta",
      "finish",
    ]);
    expect((await read(THINKER, [done])).request?.body).toMatchObject({ think: false });
    expect((await read(PLAIN, [done])).request?.body).not.toHaveProperty("think");
  });

  it("counts tokens, names the limit, and gives calls without ids an id", async () => {
    const call = { function: { name: "clock", arguments: { zone: "UTC" } } };
    const tools = await read(PLAIN, [{ message: { tool_calls: [call, call] } }, done]);
    const ids = tools.collected.flatMap((event) => (event.type === "tool-call" ? [event.callId] : []));
    expect(new Set(ids).size).toBe(2);
    expect(finishOfEvents(tools.collected)).toMatchObject({
      reason: "tool-calls",
      usage: { inputTokens: 4, outputTokens: 2, cachedTokens: 0 },
    });
    const limited = await read(PLAIN, [{ ...done, done_reason: "length" }]);
    expect(finishOfEvents(limited.collected).reason).toBe("length");
  });

  it("names the tool a result belongs to", async () => {
    const { request } = await read(PLAIN, [done], {
      model: "m",
      messages: [
        { role: "assistant", parts: [{ type: "tool-call", callId: "c1", name: "clock", input: {}, step: 0 }] },
        { role: "user", parts: [{ type: "tool-result", callId: "c1", output: "noon", isError: false, step: 0 }] },
      ],
    });
    expect(request?.body).toMatchObject({
      messages: [
        { role: "assistant", tool_calls: [{ id: "c1", function: { name: "clock", arguments: {} } }] },
        { role: "tool", tool_name: "clock", content: "noon" },
      ],
    });
  });

  it("lists what is installed with its real context and abilities", async () => {
    const tags = {
      models: [
        { name: "qwen3:8b", digest: "a" },
        { name: "llama3:latest", digest: "b" },
      ],
    };
    const server = await startRawServer({ "/api/tags": tags, "/api/show": THINKER });
    const models = await openAt("ollama", server.url, null).models(new AbortController().signal);
    await server.close();
    expect(models).toMatchObject([
      {
        id: "qwen3:8b",
        tier: "local",
        contextWindow: 40_960,
        capabilities: { tools: true, reasoning: true, vision: false },
      },
      { id: "llama3:latest", aliases: ["llama3"] },
    ]);
  });

  it("still lists models of an Ollama too old to describe them, and tells embedding models by their family", async () => {
    const tags = {
      models: [
        { name: "nomic-embed-text", details: { family: "nomic-bert" } },
        { name: "llama2", details: { family: "llama" } },
      ],
    };
    const server = await startRawServer({ "/api/tags": tags });
    server.answer((response) => void response.writeHead(404).end());
    const models = await openAt("ollama", server.url, null).models(new AbortController().signal);
    await server.close();
    expect(models.map(({ id, capabilities }) => [id, capabilities?.embedding])).toEqual([
      ["nomic-embed-text", true],
      ["llama2", false],
    ]);
  });
});
