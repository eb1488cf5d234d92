import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type AnswerDelta,
  addToAnswer,
  answerLength,
  dropUnfinishedCalls,
  emptyAnswer,
  resumedAnswer,
} from "./answer.ts";
import { newProgress } from "./progress.ts";

describe("an answer as it streams", () => {
  it("joins text into one part and opens another after thinking", () => {
    const answer = emptyAnswer();
    addToAnswer(answer, { type: "thinking-delta", text: "hm" }, 0);
    addToAnswer(answer, { type: "thinking-end", signature: "sig" }, 0);
    addToAnswer(answer, { type: "text-delta", text: "Hel" }, 0);
    addToAnswer(answer, { type: "text-delta", text: "lo" }, 0);
    expect(answer.parts).toEqual([
      { type: "thinking", text: "hm", signature: "sig" },
      { type: "text", text: "Hello" },
    ]);
  });

  it("keeps what was shown before a restart and goes on in a part of its own", () => {
    const answer = resumedAnswer([{ type: "text", text: "one" }]);
    expect(addToAnswer(answer, { type: "text-delta", text: "two" }, 0)).toMatchObject({ part: 1, offset: 0 });
    expect(answerLength(answer)).toBe(6);
  });

  it("shows a tool's input as it comes and stores it whole, parallel calls apart", () => {
    const answer = emptyAnswer();
    addToAnswer(answer, { type: "tool-input-delta", callId: "a", name: "add", text: '{"x"' }, 0);
    addToAnswer(answer, { type: "tool-input-delta", callId: "b", name: "sub", text: "{}" }, 0);
    const delta = addToAnswer(answer, { type: "tool-input-delta", callId: "a", name: "add", text: ":1}" }, 0);
    addToAnswer(answer, { type: "tool-call", callId: "a", name: "add", input: { x: 1 } }, 0);
    addToAnswer(answer, { type: "tool-call", callId: "b", name: "sub", input: {} }, 0);
    expect(delta).toEqual({ part: 0, kind: "tool-input", offset: 4, text: ":1}" });
    expect(answer.parts).toEqual([
      { type: "tool-call", callId: "a", name: "add", input: { x: 1 }, step: 0 },
      { type: "tool-call", callId: "b", name: "sub", input: {}, step: 0 },
    ]);
  });

  it("gives every call an id of its own, where a vendor counts anew in each step or within one", () => {
    const answer = emptyAnswer();
    addToAnswer(answer, { type: "tool-call", callId: "call_0", name: "add", input: {} }, 0);
    addToAnswer(answer, { type: "tool-call", callId: "call_0", name: "add", input: {} }, 0);
    addToAnswer(answer, { type: "tool-input-delta", callId: "call_0", name: "add", text: "{}" }, 1);
    addToAnswer(answer, { type: "tool-call", callId: "call_0", name: "add", input: {} }, 1);
    addToAnswer(answer, { type: "tool-call", callId: "id with spaces", name: "add", input: {} }, 1);
    const ids = answer.parts.map((part) => (part.type === "tool-call" ? part.callId : ""));
    expect(ids).toHaveLength(4);
    expect(new Set(ids).size).toBe(4);
    expect(ids[0]).toBe("call_0");
    for (const id of ids) expect(id).toMatch(/^[\w-]{1,64}$/);
  });

  it.each(["constructor", "__proto__", "toString"])(
    "takes %s for a bad call id, not for a call that is known",
    (callId) => {
      const answer = emptyAnswer();
      addToAnswer(answer, { type: "tool-input-delta", callId, name: "pay", text: "{}" }, 0);
      addToAnswer(answer, { type: "tool-call", callId, name: "pay", input: {} }, 0);
      addToAnswer(answer, { type: "tool-call", callId, name: "pay", input: {} }, 0);
      expect(answer.parts).toHaveLength(2);
      const progress = newProgress();
      for (const part of answer.parts) {
        expect(part.type === "tool-call" && progress.calls[part.callId]).toBeUndefined();
      }
      expect(answerLength(answer)).toBe(0);
    },
  );

  it("forgets a call whose input was never completed", () => {
    const answer = emptyAnswer();
    addToAnswer(answer, { type: "tool-call", callId: "a", name: "add", input: {} }, 0);
    addToAnswer(answer, { type: "tool-input-delta", callId: "b", name: "add", text: '{"x"' }, 0);
    expect(dropUnfinishedCalls(answer)).toBe(true);
    expect(answer.parts).toHaveLength(1);
    expect(dropUnfinishedCalls(answer)).toBe(false);
  });

  it("tells deltas from which anyone can rebuild every text to the letter", () => {
    const event = fc.record({
      type: fc.constantFrom("text-delta" as const, "thinking-delta" as const),
      text: fc.string({ unit: "binary" }),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const answer = emptyAnswer();
        const deltas = events
          .map((each) => addToAnswer(answer, each, 0))
          .filter((delta): delta is AnswerDelta => delta !== null);
        const rebuilt: string[] = [];
        for (const delta of deltas) {
          expect((rebuilt[delta.part] ?? "").length).toBe(delta.offset);
          rebuilt[delta.part] = (rebuilt[delta.part] ?? "") + delta.text;
        }
        expect(rebuilt).toEqual(answer.parts.map((part) => ("text" in part ? part.text : "")));
      }),
    );
  });
});
