import { describe, expect, it } from "vitest";
import type { Part } from "../../../contract/message.ts";
import type { ModelRequest } from "../../../ports/model-provider.ts";
import { toAnthropicRequest } from "./anthropic-request.ts";

const text = (value: string): Part => ({ type: "text", text: value });
const request = (more: Partial<ModelRequest>): ModelRequest => ({
  model: "claude-sonnet-4-6",
  messages: [{ role: "user", parts: [text("hi")] }],
  ...more,
});
const call: Part = { type: "tool-call", callId: "t1", name: "clock", input: { zone: "UTC" }, step: 0 };
const result: Part = { type: "tool-result", callId: "t1", output: { now: 1 }, isError: true, step: 0 };
const cached = { cache_control: { type: "ephemeral" } };

describe("a request to Anthropic", () => {
  it("marks the system prompt and the newest user message for the cache, nothing else", () => {
    const messages = [
      { role: "user" as const, parts: [text("one")] },
      { role: "assistant" as const, parts: [text("two")] },
      { role: "user" as const, parts: [text("three"), text("four")] },
    ];
    const made = toAnthropicRequest(request({ system: "Be kind.", messages }));
    expect(made.system).toEqual([{ type: "text", text: "Be kind.", ...cached }]);
    expect(made.messages.map(({ content }) => content)).toEqual([
      [{ type: "text", text: "one" }],
      [{ type: "text", text: "two" }],
      [
        { type: "text", text: "three" },
        { type: "text", text: "four", ...cached },
      ],
    ]);
  });

  it("replays signed thinking unmodified and drops what Anthropic did not sign", () => {
    const parts: Part[] = [
      { type: "thinking", text: "mine", signature: "SIG" },
      { type: "thinking", text: "", redacted: "BLOB" },
      { type: "thinking", text: "another vendor's" },
      text("  "),
      call,
    ];
    const made = toAnthropicRequest(request({ messages: [{ role: "assistant", parts }] }));
    expect(made.messages[0]?.content).toEqual([
      { type: "thinking", thinking: "mine", signature: "SIG" },
      { type: "redacted_thinking", data: "BLOB" },
      { type: "tool_use", id: "t1", name: "clock", input: { zone: "UTC" } },
    ]);
  });

  it("puts tool results before the words of their message", () => {
    const made = toAnthropicRequest(request({ messages: [{ role: "user", parts: [text("and?"), result] }] }));
    expect(made.messages[0]?.content).toEqual([
      { type: "tool_result", tool_use_id: "t1", content: '{"now":1}', is_error: true },
      { type: "text", text: "and?", ...cached },
    ]);
  });

  it("sends no message that would be empty", () => {
    const messages = [
      { role: "user" as const, parts: [text("hi")] },
      { role: "assistant" as const, parts: [text("")] },
    ];
    expect(toAnthropicRequest(request({ messages })).messages).toHaveLength(1);
  });

  it("asks for thinking within the output limit, and then for no temperature", () => {
    const made = toAnthropicRequest(request({ reasoning: "high", maxOutputTokens: 8_000, temperature: 0.3 }));
    expect(made.thinking).toEqual({ type: "enabled", budget_tokens: 4_000 });
    expect(made.temperature).toBeUndefined();
    expect(toAnthropicRequest(request({ temperature: 1.7 })).temperature).toBe(1);
    expect(toAnthropicRequest(request({ reasoning: "low", maxOutputTokens: 500 })).thinking).toBeUndefined();
  });

  it("asks for no thinking in a tool loop whose call was made without it", () => {
    const loop = (parts: Part[]) =>
      request({
        reasoning: "low",
        messages: [
          { role: "user", parts: [text("time?")] },
          { role: "assistant", parts },
          { role: "user", parts: [result] },
        ],
      });
    expect(toAnthropicRequest(loop([call])).thinking).toBeUndefined();
    expect(toAnthropicRequest(loop([{ type: "thinking", text: "x", signature: "S" }, call])).thinking).toBeDefined();
  });
});
