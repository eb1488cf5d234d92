import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aMessage } from "../../testing/builders.ts";
import { historyFor, withSteering } from "./order-history.ts";

describe("the history that a turn answers", () => {
  it("leaves messages that wait behind the one to answer for their own turn", () => {
    const first = aMessage({ text: "q1" });
    expect(historyFor([first, aMessage({ text: "later" })], first.id)).toEqual([first]);
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
});

describe("a message that steered an answer", () => {
  const question = aMessage({ text: "q" });
  const steering = aMessage({ text: "shorter!" });
  const answer = aMessage({
    role: "assistant",
    parts: [
      { type: "text", text: "long" },
      { type: "text", text: "short" },
    ],
    metadata: { replyTo: question.id, steeredBy: [steering.id], steeredAt: [1] },
  });
  const next = aMessage({ text: "next" });
  const words = (messages: ReturnType<typeof historyFor>) =>
    messages.map((message) => message.parts.map((part) => ("text" in part ? part.text : "")).join());

  it("stands in later prompts where it reached the model", () => {
    expect(words(historyFor([question, answer, steering, next], next.id))).toEqual([
      "q",
      "long",
      "shorter!",
      "short",
      "next",
    ]);
  });

  it("and came before the turn had begun, stands there too and once", () => {
    expect(words(historyFor([question, steering, answer, next], next.id))).toEqual([
      "q",
      "long",
      "shorter!",
      "short",
      "next",
    ]);
  });

  it("can be asked again by itself and is then the last", () => {
    expect(words(historyFor([question, answer, steering], steering.id)).at(-1)).toBe("shorter!");
  });

  it("and was deleted leaves the answer whole", () => {
    expect(words(historyFor([question, answer, next], next.id)).join()).toBe("q,long,short,next");
  });

  it("never loses, doubles or moves a part, wherever messages came in between", () => {
    fc.assert(
      fc.property(fc.nat(8), fc.array(fc.nat(8), { maxLength: 5 }), (count, places) => {
        const steeredAt = places.map((place) => Math.min(place, count)).sort((a, b) => a - b);
        const messages = steeredAt.map((_at, index) => aMessage({ text: `s${index}` }));
        const parts = Array.from({ length: count }, (_each, index) => ({ type: "text" as const, text: `p${index}` }));
        const metadata = { steeredBy: messages.map((each) => each.id), steeredAt };
        const written = aMessage({ role: "assistant", parts, metadata });
        const told = withSteering(written, new Map(messages.map((each) => [each.id, each])));
        const flat = told.flatMap((message) => message.parts.map((part) => ("text" in part ? part.text : "")));
        const expected = parts.map((part) => part.text);
        for (const [index, at] of [...steeredAt.entries()].reverse()) expected.splice(at, 0, `s${index}`);
        expect(flat).toEqual(expected);
      }),
    );
  });
});
