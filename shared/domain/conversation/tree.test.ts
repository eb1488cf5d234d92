import { describe, expect, it } from "vitest";
import { aMessage, testId } from "../../testing/builders.ts";
import { copyPath } from "./copy-path.ts";
import { exportMarkdown } from "./export-markdown.ts";
import { pathTo } from "./path.ts";
import { titleFrom } from "./title.ts";

describe("the tree of messages", () => {
  it("walks from the head to the root and survives loops and gaps", () => {
    const nodes = new Map([
      ["a", { id: "a", parentId: null }],
      ["b", { id: "b", parentId: "a" }],
      ["x", { id: "x", parentId: "y" }],
      ["y", { id: "y", parentId: "x" }],
      ["z", { id: "z", parentId: "gone" }],
    ]);
    expect(pathTo(nodes, "b").map((node) => node.id)).toEqual(["a", "b"]);
    expect(pathTo(nodes, "x")).toHaveLength(2);
    expect(pathTo(nodes, "z").map((node) => node.id)).toEqual(["z"]);
    expect(pathTo(nodes, null)).toEqual([]);
  });

  it("copies under new ids with the links among them kept", () => {
    const question = aMessage();
    const answer = aMessage({
      role: "assistant",
      parentId: question.id,
      metadata: { replyTo: question.id, turnId: testId(), model: "m" },
    });
    const { messages, headId } = copyPath([question, answer], testId(), testId);
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
    expect(exportMarkdown({ title: "T" }, [message])).toContain("`````\n````\nx\n`````");
  });
});
