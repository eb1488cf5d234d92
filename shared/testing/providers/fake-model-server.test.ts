import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FakeModelServer, startFakeModelServer } from "./fake-model-server.ts";

let fake: FakeModelServer;
beforeAll(async () => {
  fake = await startFakeModelServer();
});
afterAll(() => fake.close());

const anthropic = () => new Anthropic({ apiKey: "k", baseURL: fake.url, maxRetries: 0, logLevel: "off" });
const openai = () => new OpenAI({ apiKey: "k", baseURL: `${fake.url}/v1`, maxRetries: 0, logLevel: "off" });
const say = (text: string) => ({
  model: "claude-sonnet-4-6",
  max_tokens: 9,
  messages: [{ role: "user" as const, content: text }],
});

describe("the fake model server speaks the vendors' formats, as their own SDKs read them", () => {
  it("echoes through Anthropic's messages, streamed with thinking and tools, and whole", async () => {
    fake.next({ thinking: "hm", toolCalls: [{ name: "clock", input: { zone: "UTC" } }] });
    const message = await anthropic().messages.stream(say("Grüße 🌍")).finalMessage();
    expect(message.stop_reason).toBe("tool_use");
    expect(message.content).toMatchObject([
      { type: "thinking", thinking: "hm", signature: "ZmFrZQ==" },
      { type: "text", text: "You said: Grüße 🌍" },
      { type: "tool_use", name: "clock", input: { zone: "UTC" } },
    ]);
    expect((await anthropic().messages.create(say("hello"))).content).toMatchObject([{ text: "You said: hello" }]);
  });

  it("echoes through OpenAI's chat completions and responses", async () => {
    const messages = [{ role: "user" as const, content: "hello" }];
    let text = "";
    for await (const chunk of await openai().chat.completions.create({ model: "m", messages, stream: true })) {
      text += chunk.choices[0]?.delta.content ?? "";
    }
    expect(text).toBe("You said: hello");
    let last = "";
    for await (const event of await openai().responses.create({ model: "m", input: "hello", stream: true }))
      last = event.type;
    expect(last).toBe("response.completed");
  });

  it("fails, cuts and hangs as it is told, once each, and keeps a journal", async () => {
    fake.next(
      { status: 429, retryAfterSeconds: 2 },
      { tokens: 5, cutAfterTokens: 2 },
      { tokens: 5, hangAfterTokens: 1 },
    );
    await expect(anthropic().messages.create(say("one"))).rejects.toMatchObject({ status: 429 });
    await expect(anthropic().messages.stream(say("two")).finalMessage()).rejects.toThrow();
    const stream = anthropic().messages.stream(say("three"));
    stream.on("text", () => stream.abort());
    await expect(stream.finalMessage()).rejects.toThrow();
    await expect.poll(() => fake.journal.at(-1)?.aborted).toBe(true);
    expect(fake.journal.slice(-3).map(({ lastUserText, tokensSent }) => [lastUserText, tokensSent])).toEqual([
      ["one", 0],
      ["two", 2],
      ["three", 1],
    ]);
  });
});
