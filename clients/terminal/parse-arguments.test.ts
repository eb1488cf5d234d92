import { expect, test } from "vitest";
import { HELP, parseArguments } from "./parse-arguments.ts";

const ID = "0190aaaa-0000-7000-8000-000000000000";
const parse = (...words: string[]) => parseArguments(words, {});

test.each([
  [[], { kind: "chat", conversation: { kind: "new" } }],
  [["-c"], { kind: "chat", conversation: { kind: "latest" } }],
  [["-c", ID.toUpperCase()], { kind: "chat", conversation: { kind: "id", id: ID } }],
  [[`--continue=${ID}`], { kind: "chat", conversation: { kind: "id", id: ID } }],
  [["-p", "hi"], { kind: "print", text: "hi", json: false, conversation: { kind: "new" } }],
  [["-c", "-p", "-5 + 3 = ?"], { kind: "print", text: "-5 + 3 = ?", conversation: { kind: "latest" } }],
  [["-p", "--json", "-m", "gpt"], { kind: "print", text: "", json: true, model: "gpt" }],
  [["login"], { kind: "login" }],
  [["--help", "-p", "x"], { kind: "help" }],
  [["-v"], { kind: "version" }],
])("%j is understood", (words, command) => {
  expect(parse(...words)).toMatchObject({ ok: true, invocation: { command } });
});

test.each([
  [["--bogus"], /--bogus/],
  [["frob"], /`frob` is not a command/],
  [["logn"], /did you mean `npx mosaic login`\?/],
  [["Logut"], /did you mean `npx mosaic logout`\?/],
  [["frob"], /npx mosaic -p "frob …"/],
  [["login", "now"], /no further words/],
  [["-c", "nope"], /not a conversation id/],
  [["--json"], /with -p only/],
  [["--url"], /url/],
  [["--url", "ftp://x"], /not an address/],
  [["--url", "localhost:8787"], /not an address/],
  [["--json=yes", "-p", "x"], /json/],
])("%j is refused in one sentence", (words, message) => {
  const parsed = parse(...words);
  expect(parsed).toMatchObject({ ok: false, message: expect.stringMatching(message) });
  if (!parsed.ok) expect(parsed.message).not.toContain("\n");
});

test("every program line of the help is one that works when typed", () => {
  const lines = HELP.split("\n").filter((line) => /^(Usage: | {2})(npx )?mosaic\b/.test(line));
  expect(lines.length).toBeGreaterThan(5);
  for (const line of lines) expect(line).toContain("npx mosaic");
});

test("options win over the environment, the environment over the default", () => {
  const env = { MOSAIC_URL: "https://a.example/", MOSAIC_TOKEN: "t" };
  expect(parseArguments([], env)).toMatchObject({ invocation: { url: "https://a.example", token: "t" } });
  const given = parseArguments(["--url", "http://b.example:1/x/", "--token", "u"], env);
  expect(given).toMatchObject({ invocation: { url: "http://b.example:1/x", token: "u" } });
  expect(parse()).toMatchObject({ invocation: { url: "http://localhost:8787", token: undefined } });
});
