import { expect, test } from "vitest";
import { commandIn } from "./print-command.ts";
import { withFullAddresses } from "./with-full-addresses.ts";

test.each([
  ["/help", "help"],
  [" /Rename A title ", "rename"],
  ["/etc/hosts: what is it?", null],
  ["/frobnicate", null],
  ["/helpful hints, please", null],
  ["what does /help do?", null],
])("%j is the command %j", (text, name) => {
  expect(commandIn(text)).toBe(name);
});

test("paths of the server become addresses to open, and nothing else changes", () => {
  const text = "Download it as /api/conversations/1/export?format=markdown or /api/x; not a/api/b, nor /apiary";
  expect(withFullAddresses(text, "https://chat.example.org")).toBe(
    "Download it as https://chat.example.org/api/conversations/1/export?format=markdown or https://chat.example.org/api/x; not a/api/b, nor /apiary",
  );
});
