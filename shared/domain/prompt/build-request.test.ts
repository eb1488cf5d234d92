import { describe, expect, it } from "vitest";
import { aMessage } from "../../testing/builders.ts";
import { buildRequest } from "./build-request.ts";
import { historyFor } from "./order-history.ts";

const base = { model: "m", provider: "anthropic" as const };
const tools = [{ name: "look", description: "Looks.", inputSchema: {} }];
const call = { type: "tool-call" as const, callId: "c1", name: "look", input: {}, step: 0 };
const result = { type: "tool-result" as const, callId: "c1", output: "seen", isError: false, step: 0 };

describe("building a request", () => {
  it("puts each answer behind its question, also where messages had waited in line", () => {
    const first = aMessage({ text: "q1" });
    const second = aMessage({ text: "q2" });
    const answer = aMessage({ role: "assistant", text: "a1", metadata: { replyTo: first.id } });
    const request = buildRequest({ ...base, messages: historyFor([first, second, answer], second.id) });
    expect(request.messages.map((message) => [message.role, message.parts])).toEqual([
      ["user", [{ type: "text", text: "q1" }]],
      ["assistant", [{ type: "text", text: "a1" }]],
      ["user", [{ type: "text", text: "q2" }]],
    ]);
  });

  it("sends thinking back to the vendor that signed it and to no other", () => {
    const question = aMessage();
    const parts = [
      { type: "thinking" as const, text: "hm", signature: "s" },
      { type: "text" as const, text: "yes" },
    ];
    const answer = aMessage({ role: "assistant", parts, metadata: { replyTo: question.id, provider: "anthropic" } });
    const next = aMessage();
    const messages = [question, answer, next];
    expect(buildRequest({ ...base, messages }).messages[1]?.parts).toHaveLength(2);
    expect(buildRequest({ ...base, provider: "openai", messages }).messages[1]?.parts).toEqual([
      { type: "text", text: "yes" },
    ]);
  });

  it("joins neighbours of one side and drops what is empty, as vendors demand", () => {
    const failed = aMessage({ role: "assistant", parts: [] });
    const last = aMessage({ text: "again" });
    const request = buildRequest({ ...base, messages: [aMessage({ text: "q" }), failed, last] });
    expect(request.messages).toHaveLength(1);
    expect(request.messages[0]?.parts).toHaveLength(2);
  });

  it("keeps the guide's answers from a real model, and the questions that the guide answered", () => {
    const question = aMessage({ text: "q1" });
    const quoted = aMessage({
      role: "assistant",
      text: "I am the guide",
      metadata: { replyTo: question.id, provider: "guide" },
    });
    const next = aMessage({ text: "q2" });
    const facts = { ...base, messages: [question, quoted, next] };
    expect(buildRequest(facts).messages).toEqual([
      {
        role: "user",
        parts: [
          { type: "text", text: "q1" },
          { type: "text", text: "q2" },
        ],
      },
    ]);
    expect(buildRequest({ ...facts, provider: "guide" }).messages).toHaveLength(3);
  });

  it("continues a cut answer by an instruction in the user's place, never by a prefill", () => {
    const half = aMessage({ role: "assistant", text: "half" });
    const request = buildRequest({ ...base, messages: [aMessage(), half], isCut: true });
    expect(request.messages.map((message) => message.role)).toEqual(["user", "assistant", "user"]);
    expect(JSON.stringify(request.messages.at(-1))).toContain("Go on exactly");
  });

  it("needs no such instruction where tool results or a person's words come last", () => {
    const called = aMessage({ role: "assistant", parts: [{ type: "text", text: "let me look" }, call, result] });
    const request = buildRequest({ ...base, tools, messages: [aMessage(), called], isCut: true });
    expect(request.messages.at(-1)).toEqual({ role: "user", parts: [result] });
  });

  it("pairs every call with a result, because vendors refuse what an aborted turn leaves", () => {
    const parts = [call, { ...result, callId: "of nothing" }];
    const request = buildRequest({ ...base, tools, messages: [aMessage(), aMessage({ role: "assistant", parts })] });
    expect(request.messages.slice(1)).toEqual([
      { role: "assistant", parts: [call] },
      { role: "user", parts: [expect.objectContaining({ type: "tool-result", callId: "c1", isError: true })] },
    ]);
  });

  it("tells tool results in words to a model that is offered no tools", () => {
    const called = aMessage({ role: "assistant", parts: [call, result] });
    const request = buildRequest({ ...base, messages: [aMessage(), called, aMessage()] });
    expect(request).not.toHaveProperty("tools");
    expect(JSON.stringify(request.messages[1])).toContain("Result of the tool look: seen");
    expect(JSON.stringify(request)).not.toContain("tool-call");
  });
});
