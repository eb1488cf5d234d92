/** The same against a server that others wrote from the vendors' documentation. */
import { LLMock } from "@copilotkit/aimock";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { ModelProvider } from "../../ports/model-provider.ts";
import { ask, collect, failureOfEvents, finishOfEvents, textOfEvents, thinkingOfEvents } from "./collect-events.ts";
import type { ContractSubject, PeerAbility } from "./contract-subject.ts";

const TOOLS = ["weather", "clock"].map((name) => ({
  name,
  description: name,
  inputSchema: { type: "object", properties: {} },
}));

export function describePeer(subject: ContractSubject): void {
  const { model } = subject;
  const has = (ability: PeerAbility): boolean => !subject.peerLacks?.includes(ability);
  const peer = new LLMock({ port: 0, logLevel: "silent", chunkSize: 5 });
  let provider: ModelProvider;

  beforeAll(async () => {
    peer.on({ userMessage: "plain" }, { content: "A plain answer, 🌍 and all." });
    peer.on({ userMessage: "think" }, { content: "Done.", reasoning: "First this, then that." });
    const usage = { input_tokens: 11, output_tokens: 3, prompt_tokens: 11, completion_tokens: 3, total_tokens: 14 };
    peer.on({ userMessage: "count" }, { content: "Counted.", usage });
    peer.on({ userMessage: "long" }, { content: "Too lo", finishReason: "length" });
    peer.on(
      { userMessage: "tools" },
      {
        toolCalls: [
          { name: "weather", arguments: '{"city":"Zürich","days":2}' },
          { name: "clock", arguments: "{}" },
        ],
      },
    );
    peer.on(
      { userMessage: "limited" },
      { error: { message: "Slow down", type: "rate_limit_error" }, status: 429, retryAfter: 3 },
    );
    await peer.start();
    provider = subject.create(peer.url);
  });
  afterAll(() => peer.stop());

  it("streams a plain answer in several pieces", async () => {
    const events = await collect(provider, ask(model, "plain", { system: "Be plain." }));
    expect(textOfEvents(events)).toBe("A plain answer, 🌍 and all.");
    expect(events.length).toBeGreaterThan(3);
    expect(finishOfEvents(events).reason).toBe("stop");
  });

  it.runIf(has("thinking"))("streams thinking apart from text and says when it ends", async () => {
    const events = await collect(provider, ask(model, "think", { reasoning: "low" }));
    expect(thinkingOfEvents(events)).toBe("First this, then that.");
    expect(textOfEvents(events)).toBe("Done.");
    const order = events.map((event) => event.type);
    expect(order.indexOf("thinking-end")).toBeGreaterThan(order.lastIndexOf("thinking-delta"));
    expect(order.indexOf("thinking-end")).toBeLessThan(order.indexOf("text-delta"));
  });

  it("hands over parallel tool calls whole, in order, with ids of their own", async () => {
    const events = await collect(provider, ask(model, "tools", { tools: TOOLS }));
    const calls = events.flatMap((event) => (event.type === "tool-call" ? [event] : []));
    expect(calls.map(({ name, input }) => [name, input])).toEqual([
      ["weather", { city: "Zürich", days: 2 }],
      ["clock", {}],
    ]);
    expect(new Set(calls.map(({ callId }) => callId)).size).toBe(2);
    expect(finishOfEvents(events).reason).toBe("tool-calls");
  });

  it("carries tool results back to the vendor", async () => {
    const callId = "call_1";
    peer.on({ toolCallId: callId }, { content: "It rains." });
    peer.on({ userMessage: "weather?", hasToolResult: true }, { content: "It rains." });
    const events = await collect(provider, {
      model,
      tools: TOOLS,
      messages: [
        { role: "user", parts: [{ type: "text", text: "weather?" }] },
        {
          role: "assistant",
          parts: [{ type: "tool-call", callId, name: "weather", input: { city: "Bern" }, step: 0 }],
        },
        { role: "user", parts: [{ type: "tool-result", callId, output: { sky: "rain" }, isError: false, step: 0 }] },
      ],
    });
    expect(textOfEvents(events)).toBe("It rains.");
  });

  it.runIf(has("usage"))("counts what the vendor counted", async () => {
    const { usage } = finishOfEvents(await collect(provider, ask(model, "count")));
    expect(usage).toEqual({ inputTokens: 11, outputTokens: 3, cachedTokens: 0 });
  });

  it.runIf(has("finish"))("says when the answer hit its limit", async () => {
    expect(finishOfEvents(await collect(provider, ask(model, "long"))).reason).toBe("length");
  });

  it("passes the vendor's wish to wait on", async () => {
    const failure = failureOfEvents(await collect(provider, ask(model, "limited")));
    expect(failure).toMatchObject({ kind: "rate_limited", retryable: true, retryAfterMs: 3_000 });
  });
}
