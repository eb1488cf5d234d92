import { expect, it } from "vitest";
import { shortenPassage } from "./shorten-passage.ts";

const sentence = (length: number, end = "."): string => `A${"b".repeat(length - 2)}${end}`;

it("ends between two sentences, never inside one", () => {
  expect(shortenPassage(`${sentence(200)} ${sentence(100)} ${sentence(200)}`)).toBe(
    `${sentence(200)} ${sentence(100)}`,
  );
});

it("ends between two list items, and takes an announcement only with what it announces", () => {
  const items = [`- ${sentence(100)}`, `- ${sentence(100)}`, `- ${sentence(200)}`];
  expect(shortenPassage(`Do this:\n\n${items.join("\n")}`)).toBe(`Do this:\n\n${items[0]}\n${items[1]}`);
  expect(shortenPassage(`Yes. Do this:\n\n- ${sentence(400)}`)).toBe("Yes.");
});

it("takes a code block whole or not at all", () => {
  const code = "```sh\none\n\ntwo\n```";
  expect(shortenPassage(`Run it:\n\n${code}\n\n${sentence(400)}`)).toBe(`Run it:\n\n${code}`);
  expect(shortenPassage(`First. Run it:\n\n\`\`\`\n${"x".repeat(400)}\n\`\`\``)).toBe("First.");
});

it("keeps a table's head with its first row", () => {
  const rows = ["| a | b |", "|---|---|", "| 1 | 2 |", `| ${"x".repeat(400)} | 3 |`];
  expect(shortenPassage(rows.join("\n"))).toBe(rows.slice(0, 3).join("\n"));
});

it("leaves out what cannot be quoted briefly", () => {
  expect(shortenPassage(sentence(600))).toBe("");
});
