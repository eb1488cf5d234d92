import { describe, expect, test } from "vitest";
import { parseArguments } from "../parse-arguments.ts";
import { MODELS_HELP, PROVIDERS_HELP } from "./parse-providers.ts";

const parse = (...words: string[]) => parseArguments(words, {});

describe("what was typed after providers", () => {
  test.each([
    [["providers"], { wish: { action: "list" }, json: false }],
    [["providers", "list", "--json"], { wish: { action: "list" }, json: true }],
    [["providers", "--help"], { wish: { action: "help" } }],
    [
      ["providers", "add", "anthropic"],
      { wish: { action: "add", add: { kind: "anthropic", scope: "user", headers: [] } } },
    ],
    [
      [
        "providers",
        "add",
        "OLLAMA",
        "--base-url",
        "https://o.example",
        "--header",
        "A",
        "--header",
        "B",
        "--key-stdin",
      ],
      { wish: { add: { kind: "ollama", baseUrl: "https://o.example", headers: ["A", "B"], keyFromStdin: true } } },
    ],
    [
      ["providers", "add", "ollama", "--machine", "attic", "--upstream", "big", "--default"],
      { wish: { add: { machine: "attic", upstream: "big", isDefault: true } } },
    ],
    [
      ["providers", "add", "openai", "--workspace", "Crew"],
      { wish: { add: { scope: "workspace", workspace: "Crew" } } },
    ],
    [["providers", "test", "Claude at work"], { wish: { action: "test", which: "Claude at work" } }],
    [["providers", "key", "Claude", "--key-stdin"], { wish: { action: "key", which: "Claude", keyFromStdin: true } }],
    [["providers", "key", "Claude"], { wish: { action: "key", which: "Claude", keyFromStdin: false } }],
    [
      ["providers", "login", "openrouter", "--scope", "system"],
      { wish: { action: "login", audience: { scope: "system" } } },
    ],
  ])("%j is understood", (words, command) => {
    expect(parse(...words)).toMatchObject({ ok: true, invocation: { command: { kind: "providers", ...command } } });
  });

  test.each([
    [["providers", "ad"], /did you mean `npx mosaic providers add`/],
    [["providers", "add"], /Name what to connect: anthropic/],
    [["providers", "add", "antropic"], /did you mean anthropic\?/],
    [["providers", "add", "ollama"], /--base-url.*--machine/],
    [["providers", "add", "ollama", "--base-url", "x", "--machine", "y"], /not both/],
    [["providers", "add", "openai", "--scope", "all"], /user, workspace and system/],
    [["providers", "add", "openai", "--scope", "user", "--workspace", "Crew"], /with `--scope workspace` only/],
    [["providers", "add", "openai", "--key", "sk-secret"], /'--key'/],
    [["providers", "add", "openai", "sk-secret"], /one word too many/],
    [["providers", "key", "openai", "sk-secret"], /a key is asked for/],
    [["providers", "key"], /by its name or id/],
    [["providers", "remove"], /by its name or id/],
    [["providers", "test", "x", "--key-stdin"], /`--key-stdin` does not go with `test`/],
    [["providers", "login", "openrouter", "--default"], /does not go with `login`/],
    [["models", "all"], /no further words/],
    [["provders"], /did you mean `npx mosaic providers`/],
  ])("%j is refused in one sentence", (words, message) => {
    const parsed = parse(...words);
    expect(parsed).toMatchObject({ ok: false, message: expect.stringMatching(message) });
    if (!parsed.ok) expect(parsed.message).not.toMatch(/\n|sk-secret/);
  });

  test("a key has no place on the command line", () => {
    expect(PROVIDERS_HELP).not.toMatch(/--key\b(?!-stdin)|--secret|--api-key/);
  });

  test("where Mosaic is may be said before or after", () => {
    const expected = {
      invocation: { url: "http://b.example", token: "t", command: { kind: "models", refresh: true } },
    };
    expect(parse("--url", "http://b.example", "--token=t", "models", "--refresh")).toMatchObject(expected);
    expect(parse("models", "--refresh", "--token", "t", "--url=http://b.example")).toMatchObject(expected);
  });
});

test("every program line of the helps is one that works when typed", () => {
  const lines = `${PROVIDERS_HELP}\n${MODELS_HELP}`
    .split("\n")
    .filter((line) => /^(Usage: | {2})(npx )?mosaic\b/.test(line));
  expect(lines.length).toBeGreaterThan(8);
  for (const line of lines) expect(line).toContain("npx mosaic");
});
