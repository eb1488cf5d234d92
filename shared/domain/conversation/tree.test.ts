import { describe, expect, it } from "vitest";
import { aMessage, testId } from "../../testing/builders.ts";
import { copyPath } from "./copy-path.ts";
import { markdownOf } from "./export-markdown.ts";
import { titleFrom } from "./title.ts";

describe("the tree of messages", () => {
  it("copies under new ids with the links among them kept", () => {
    const question = aMessage();
    const answer = aMessage({
      role: "assistant",
      parentId: question.id,
      metadata: { replyTo: question.id, turnId: testId(), model: "m" },
    });
    const { messages, headId } = copyPath([question, answer], { conversationId: testId(), userId: testId() }, testId);
    expect(messages.map((message) => message.seq)).toEqual([1, 2]);
    expect(messages[1]).toMatchObject({
      id: headId,
      parentId: messages[0]?.id,
      metadata: { replyTo: messages[0]?.id, model: "m" },
    });
    expect(messages[0]?.id).not.toBe(question.id);
    expect(messages[1]?.metadata.turnId).toBeUndefined();
  });
});

describe("titles and exports", () => {
  it.each([
    ["  \n# Hello   there", "Hello there"],
    ["", null],
    [`${"word ".repeat(40)}`, `${"word ".repeat(11)}word…`],
  ])("makes a title from %j", (text, title) => {
    expect(titleFrom([{ type: "text", text }])).toBe(title);
  });

  it("never cuts a character in two", () => {
    for (const text of ["😀".repeat(80), `a${"😀".repeat(80)}`]) {
      expect(titleFrom([{ type: "text", text }])?.isWellFormed()).toBe(true);
    }
  });

  it("fences what a tool or a thought said, whatever fences it holds", () => {
    const message = aMessage({
      role: "assistant",
      parts: [{ type: "tool-result", callId: "c", output: "````\nx", isError: false, step: 0 }],
    });
    expect(markdownOf(message)).toContain("`````\n````\nx\n`````");
  });
});
