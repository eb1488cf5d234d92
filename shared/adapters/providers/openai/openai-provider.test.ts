import { describe, expect, it } from "vitest";
import type { ModelRequest } from "../../../ports/model-provider.ts";
import { ask, collect, finishOfEvents } from "../../../testing/providers/collect-events.ts";
import { describeProviderContract } from "../../../testing/providers/contract-suite.ts";
import { openAt } from "../../../testing/providers/open-at.ts";
import { startRawServer } from "../../../testing/providers/raw-server.ts";
import { RESPONSES_WIRE } from "../../../testing/providers/vendor-wires.ts";

const secret = "sk-proj-0123456789abcdef";

describeProviderContract({
  name: "OpenAI",
  create: (url) => openAt("openai", `${url}/v1`, secret),
  wire: RESPONSES_WIRE,
  model: "gpt-5.4",
  secret,
});

const reasoningItem = { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "ENC" };
const callItem = { type: "function_call", id: "fc_1", call_id: "call_1", name: "clock", arguments: '{"zone":"UTC"}' };
const ended = (status: string, more: Record<string, unknown> = {}) => ({
  type: `response.${status}`,
  response: { id: "r", model: "gpt-5.4-2026-03", status, usage: { input_tokens: 5, output_tokens: 2 }, ...more },
});

async function read(events: Record<string, unknown>[], request: ModelRequest = ask("gpt-5.4", "hi")) {
  const server = await startRawServer();
  server.answer((response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(""));
  });
  const collected = await collect(openAt("openai", `${server.url}/v1`, secret), request);
  await server.close();
  return { collected, request: server.requests[0] };
}

describe("OpenAI's own ways", () => {
  it("stores nothing at the vendor and carries reasoning back and forth instead", async () => {
    const first = await read([
      { type: "response.output_item.done", output_index: 0, item: reasoningItem },
      ended("completed"),
    ]);
    const thinking = first.collected.find((event) => event.type === "thinking-end");
    expect(first.request?.body).toMatchObject({ store: false, include: ["reasoning.encrypted_content"] });
    const signature = thinking?.type === "thinking-end" ? (thinking.signature ?? "") : "";
    const second = await read([ended("completed")], {
      model: "gpt-5.4",
      messages: [
        {
          role: "assistant",
          parts: [
            { type: "thinking", text: "so", signature },
            { type: "thinking", text: "another vendor's", signature: "SIG==" },
            { type: "tool-call", callId: "call_1", name: "clock", input: {}, step: 0 },
          ],
        },
        { role: "user", parts: [{ type: "tool-result", callId: "call_1", output: "noon", isError: false, step: 0 }] },
      ],
    });
    expect(second.request?.body).toMatchObject({
      input: [
        { type: "reasoning", id: "rs_1", encrypted_content: "ENC", summary: [{ type: "summary_text", text: "so" }] },
        { type: "function_call", call_id: "call_1", name: "clock", arguments: "{}" },
        { type: "function_call_output", call_id: "call_1", output: "noon" },
      ],
    });
  });

  it("asks a model for reasoning only where it is known to reason, and then for no temperature", async () => {
    const more = { reasoning: "high" as const, temperature: 0.5 };
    const reasons = await read([ended("completed")], ask("gpt-5.4", "hi", more));
    expect(reasons.request?.body).toMatchObject({ reasoning: { effort: "high", summary: "auto" } });
    expect(reasons.request?.body).not.toHaveProperty("temperature");
    const plain = await read([ended("completed")], ask("gpt-4o", "hi", more));
    expect(plain.request?.body).toMatchObject({ temperature: 0.5 });
    expect(plain.request?.body).not.toHaveProperty("reasoning");
  });

  it("shows a call's arguments as they grow and the call once it is whole", async () => {
    const { collected } = await read([
      { type: "response.output_item.added", output_index: 0, item: { ...callItem, arguments: "" } },
      { type: "response.function_call_arguments.delta", output_index: 0, item_id: "fc_1", delta: '{"zone":"UTC"}' },
      { type: "response.output_item.done", output_index: 0, item: callItem },
      ended("completed"),
    ]);
    expect(collected).toMatchObject([
      { type: "tool-input-delta", callId: "call_1", name: "clock", text: '{"zone":"UTC"}' },
      { type: "tool-call", callId: "call_1", name: "clock", input: { zone: "UTC" } },
      { type: "finish", reason: "tool-calls", model: "gpt-5.4-2026-03" },
    ]);
  });

  it("tells a refusal, a filter and a limit apart", async () => {
    const refusal = await read([{ type: "response.refusal.delta", output_index: 0, delta: "No." }, ended("completed")]);
    expect(refusal.collected).toMatchObject([{ type: "text-delta", text: "No." }, { reason: "refusal" }]);
    const reasonOf = async (reason: string) =>
      finishOfEvents((await read([ended("incomplete", { incomplete_details: { reason } })])).collected).reason;
    expect(await reasonOf("content_filter")).toBe("refusal");
    expect(await reasonOf("max_output_tokens")).toBe("length");
  });

  it("lists only models that can hold a conversation", async () => {
    const server = await startRawServer({
      "/v1/models": { data: ["gpt-5.4", "text-embedding-3-small", "whisper-1", "gpt-image-1"].map((id) => ({ id })) },
    });
    const provider = openAt("openai", `${server.url}/v1`, secret);
    expect(await provider.models(new AbortController().signal)).toEqual([{ id: "gpt-5.4" }]);
    await server.close();
  });
});
