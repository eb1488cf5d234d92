import { expect, test } from "vitest";
import { COMMANDS } from "../../../../shared/contract/commands.ts";
import { commandsFor, isCommand } from "./commands.ts";

test("takes a slash and a name for a command, and a path or several lines for a message", () => {
  expect(["/help", "/model gpt", "/unknown x"].map(isCommand)).toEqual([true, true, true]);
  expect(["/etc/hosts is broken", "/help\nme", "a /help", "/", "/ 2"].map(isCommand)).toEqual([
    false,
    false,
    false,
    false,
    false,
  ]);
});

test("offers what begins with the typed letters, and nothing once an argument begins", () => {
  expect(commandsFor("/mo").map(({ name }) => name)).toEqual(["/model", "/models"]);
  expect(commandsFor("/model ")).toEqual([]);
  expect(commandsFor("hello")).toEqual([]);
});

test("offers exactly the commands that the server carries out", () => {
  const offered = commandsFor("/").map(({ name }) => name);
  expect(offered).toEqual(COMMANDS.map(({ name }) => `/${name}`));
});
