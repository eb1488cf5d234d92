import { expect, test } from "vitest";
import type { Conversation } from "../../../../shared/contract/conversation.ts";
import { filterByTitle, groupByAge } from "./group-by-age.ts";

const conversation = (title: string, updatedAt: Date): Conversation => ({
  id: crypto.randomUUID(),
  workspaceId: crypto.randomUUID(),
  ownerUserId: crypto.randomUUID(),
  visibility: "private",
  title,
  model: null,
  agentId: null,
  personalityId: null,
  headId: null,
  forkedFrom: null,
  version: 1,
  createdAt: updatedAt.toISOString(),
  updatedAt: updatedAt.toISOString(),
});

test("groups by the person's own calendar day, newest first", () => {
  const now = new Date(2026, 10, 21, 0, 30);
  const list = [
    conversation("old", new Date(2025, 0, 1)),
    conversation("an hour ago, yesterday", new Date(2026, 10, 20, 23, 30)),
    conversation("just now", new Date(2026, 10, 21, 0, 29)),
    conversation("this week", new Date(2026, 10, 16)),
    conversation("this month", new Date(2026, 10, 1)),
  ];
  expect(groupByAge(list, now).map(({ label, items }) => [label, items.map(({ title }) => title)])).toEqual([
    ["Today", ["just now"]],
    ["Yesterday", ["an hour ago, yesterday"]],
    ["Last 7 days", ["this week"]],
    ["Last 30 days", ["this month"]],
    ["Older", ["old"]],
  ]);
});

test("finds a title by its words in any order and case", () => {
  const list = [conversation("Postgres roles and policies", new Date()), conversation("Holiday in Rome", new Date())];
  expect(filterByTitle(list, "ROLES postgres").map(({ title }) => title)).toEqual(["Postgres roles and policies"]);
  expect(filterByTitle(list, "  ")).toHaveLength(2);
});
