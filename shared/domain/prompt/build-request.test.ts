import { describe, expect, it } from "vitest";
import { aMessage } from "../../testing/builders.ts";
import { buildRequest, historyFor } from "./build-request.ts";

const base = { model: "m", provider: "anthropic" as const };

describe("building a request", () => {
  it("puts each answer behind its question, also where messages had waited in line", () => {
    const first = aMessage({ text: "q1" });
    const second = aMessage({ text: "q2" });
    const answer = aMessage({ role: "assistant", text: "a1", metadata: { replyTo: first.id } });
    const request = buildRequest({ ...base, messages: [first, second, answer], replyTo: second.id });
    expect(request.messages.map((message) => [message.role, message.parts])).toEqual([
      ["user", [{ type: "text", text: "q1" }]],
      ["assistant", [{ type: "text", text: "a1" }]],
      ["user", [{ type: "text", text: "q2" }]],
    ]);
  });

  it("leaves messages that wait behind the one to answer for their own turn", () => {
    const first = aMessage({ text: "q1" });
    const request = buildRequest({ ...base, messages: [first, aMessage({ text: "later" })], replyTo: first.id });
    expect(JSON.stringify(request.messages)).not.toContain("later");
  });

  it("ends with the question, whatever came into the log after it", () => {
    const first = aMessage({ text: "q1" });
    const second = aMessage({ text: "q2" });
    const late = aMessage({ role: "assistant", text: "a1", metadata: { replyTo: first.id } });
    expect(historyFor([first, second, late], second.id).map((message) => message.id)).toEqual([
      first.id,
      late.id,
      second.id,
    ]);
    expect(historyFor([first, second], first.id)).toEqual([first]);
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
    expect(buildRequest({ ...base, messages, replyTo: next.id }).messages[1]?.parts).toHaveLength(2);
    expect(buildRequest({ ...base, provider: "openai", messages, replyTo: next.id }).messages[1]?.parts).toEqual([
      { type: "text", text: "yes" },
    ]);
  });

  it("joins neighbours of one side and drops what is empty, as vendors demand", () => {
    const failed = aMessage({ role: "assistant", parts: [] });
    const last = aMessage({ text: "again" });
    const request = buildRequest({ ...base, messages: [aMessage({ text: "q" }), failed, last], replyTo: last.id });
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
    const facts = { ...base, messages: [question, quoted, next], replyTo: next.id };
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
    const question = aMessage();
    const partial = [{ type: "text" as const, text: "half" }];
    const request = buildRequest({ ...base, messages: [question], replyTo: question.id, partial });
    expect(request.messages.map((message) => message.role)).toEqual(["user", "assistant", "user"]);
  });
});
