/** The vendors' own SDKs read what our wires send: whoever wrote the wires did not write these readers. */
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startFakeModelServer } from "./fake-model-server.ts";
import { type RawServer, startRawServer } from "./raw-server.ts";
import { ANTHROPIC_WIRE, CHAT_WIRE, RESPONSES_WIRE, type VendorWire } from "./vendor-wires.ts";

let server: RawServer;
beforeEach(async () => {
  server = await startRawServer();
});
afterEach(() => server.close());

function send(wire: VendorWire, pieces: readonly string[]): void {
  server.answer((response) => {
    response.writeHead(200, { "content-type": wire.contentType });
    response.end(pieces.join(""));
  });
}

const texts = ["Grüße, ", "🌍"];
const messages = [{ role: "user" as const, content: "hi" }];
const anthropicAt = (baseURL: string) => new Anthropic({ apiKey: "k", baseURL, maxRetries: 0 });
const openAiAt = (baseURL: string) => new OpenAI({ apiKey: "k", baseURL, maxRetries: 0 });
const readMessage = (baseURL: string) =>
  anthropicAt(baseURL).messages.stream({ model: "m", max_tokens: 9, messages }).finalMessage();
const readCompletion = (baseURL: string) =>
  openAiAt(baseURL).chat.completions.stream({ model: "m", messages }).finalChatCompletion();

describe("Anthropic's SDK", () => {
  it("reads our wire: text, usage, signed thinking, calls in pieces, ends", async () => {
    send(ANTHROPIC_WIRE, ANTHROPIC_WIRE.answer(texts));
    expect(await readMessage(server.url)).toMatchObject({
      content: [{ type: "text", text: "Grüße, 🌍" }],
      stop_reason: "end_turn",
      usage: { input_tokens: 10, cache_read_input_tokens: 5, output_tokens: 7 },
    });
    send(ANTHROPIC_WIRE, ANTHROPIC_WIRE.thinking("hm, hm"));
    expect((await readMessage(server.url)).content).toMatchObject([
      { type: "thinking", thinking: "hm, hm", signature: ANTHROPIC_WIRE.signature },
      { type: "text", text: "Done." },
    ]);
    send(ANTHROPIC_WIRE, ANTHROPIC_WIRE.calls);
    expect((await readMessage(server.url)).content).toMatchObject([
      { type: "tool_use", name: "weather", input: { city: "Zürich" } },
      { type: "tool_use", name: "clock", input: {} },
    ]);
    send(ANTHROPIC_WIRE, ANTHROPIC_WIRE.ending("refusal") ?? []);
    expect((await readMessage(server.url)).stop_reason).toBe("refusal");
  });

  it("reads our fake model server", async () => {
    const fake = await startFakeModelServer({ reply: "Hello there", thinking: "hm" });
    expect((await readMessage(fake.url)).content).toMatchObject([
      { type: "thinking", thinking: "hm" },
      { type: "text", text: "Hello there" },
    ]);
    await fake.close();
  });
});

describe("OpenAI's SDK", () => {
  it("reads our wire of chat completions: text, usage, calls in pieces, ends", async () => {
    send(CHAT_WIRE, CHAT_WIRE.answer(texts));
    const completion = await readCompletion(server.url);
    expect(completion.choices[0]).toMatchObject({ message: { content: "Grüße, 🌍" }, finish_reason: "stop" });
    send(CHAT_WIRE, CHAT_WIRE.calls);
    expect((await readCompletion(server.url)).choices[0]?.message.tool_calls).toMatchObject([
      { function: { name: "weather", arguments: '{"city": "Zürich"}' } },
      { function: { name: "clock", arguments: "{}" } },
    ]);
  });

  it("reads our wire of responses: text, calls and the end, event by event", async () => {
    const typesOf = async (): Promise<string[]> => {
      const stream = await openAiAt(server.url).responses.create({ model: "m", input: "hi", stream: true });
      const types: string[] = [];
      for await (const event of stream) types.push(event.type);
      return types;
    };
    send(RESPONSES_WIRE, RESPONSES_WIRE.answer(texts));
    expect(await typesOf()).toEqual([
      "response.created",
      "response.output_text.delta",
      "response.output_text.delta",
      "response.completed",
    ]);
    send(RESPONSES_WIRE, RESPONSES_WIRE.calls);
    expect((await typesOf()).filter((type) => type === "response.output_item.done")).toHaveLength(2);
  });

  it("reads our fake model server", async () => {
    const fake = await startFakeModelServer({ reply: "Hello there" });
    const completion = await readCompletion(`${fake.url}/v1`);
    expect(completion.choices[0]?.message.content).toBe("Hello there");
    await fake.close();
  });
});
