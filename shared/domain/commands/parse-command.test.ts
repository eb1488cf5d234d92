import { describe, expect, it } from "vitest";
import { COMMANDS } from "../../contract/commands.ts";
import { parseCommand } from "./parse-command.ts";

describe("parsing a command", () => {
  it("splits name and arguments, case aside", () => {
    expect(parseCommand("/Model  gpt-5.4 ")).toEqual({ ok: true, name: "model", args: "gpt-5.4" });
    expect(parseCommand("/help")).toEqual({ ok: true, name: "help", args: "" });
  });

  it("knows every command it lists", () => {
    for (const { name } of COMMANDS) expect(parseCommand(`/${name}`)).toMatchObject({ ok: true, name });
  });

  it("names the nearest ones for an unknown name", () => {
    expect(parseCommand("/modle")).toMatchObject({ ok: false, text: expect.stringContaining("/model") });
    expect(parseCommand("/zzzzzzzz")).toMatchObject({ ok: false, text: expect.stringContaining("/help") });
    expect(parseCommand("///")).toMatchObject({ ok: false });
  });
});
