import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { createApiClient } from "../../shared/client/api-client.ts";
import { textOf } from "../../shared/contract/message.ts";
import { type Stack, startStack } from "../../shared/testing/node/stack.ts";
import {
  aHome,
  type Home,
  runInTerminal,
  runPiped,
  type TerminalProcess,
} from "../../shared/testing/node/terminal-process.ts";

let stack: Stack;
let home: Home;
let token: string;
const running: TerminalProcess[] = [];

async function post(path: string, body: object, bearer?: string): Promise<Response> {
  const headers = { "content-type": "application/json", origin: stack.url };
  const signedIn = bearer === undefined ? headers : { ...headers, authorization: `Bearer ${bearer}` };
  return await fetch(`${stack.url}/api/auth${path}`, { method: "POST", headers: signedIn, body: JSON.stringify(body) });
}

beforeAll(async () => {
  stack = await startStack();
  const person = { name: "Ada Löve", email: "ada@example.com", password: "correct horse battery" };
  const response = await post("/sign-up/email", person);
  token = response.headers.get("set-auth-token") ?? "";
  expect(token, await response.text()).not.toBe("");
});
afterAll(() => stack.stop());
beforeEach(() => {
  home = aHome();
  home.env.MOSAIC_URL = stack.url;
  home.env.MOSAIC_TOKEN = token;
});
afterEach(() => {
  for (const terminal of running.splice(0)) terminal.kill("SIGKILL");
  home.remove();
});

function terminalWith(...words: string[]): TerminalProcess {
  const terminal = runInTerminal(home, words);
  running.push(terminal);
  return terminal;
}
const api = () => createApiClient({ baseUrl: stack.url, token });
const latest = async () => (await api().conversations.list({ limit: 1 })).items[0]?.id ?? "";

test("a person signs in with the code of the terminal, and the terminal remembers it", async () => {
  delete home.env.MOSAIC_TOKEN;
  const terminal = terminalWith("login");
  const shown = await terminal.shows(/confirm the code \w+/);
  const userCode = /confirm the code (\w+)/.exec(shown)?.[1] ?? "";
  const look = await fetch(`${stack.url}/api/auth/device?user_code=${userCode}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(look.status).toBe(200);
  expect((await post("/device/approve", { userCode }, token)).status).toBe(200);
  await terminal.shows("as Ada Löve <ada@example.com>", 20_000);
  expect(await terminal.exited).toBe(0);
  const answer = await runPiped(home, ["-p", "How do I connect a model?", "--json"]);
  expect(answer.stderr).toBe("");
  expect(JSON.parse(answer.stdout)).toMatchObject({
    conversationId: expect.any(String),
    messageId: expect.any(String),
    text: expect.stringMatching(/\w/),
    receipt: { chosen: { provider: "guide" }, reason: expect.any(String) },
    usage: { inputTokens: expect.any(Number) },
  });
  expect((await runPiped(home, ["logout"])).code).toBe(0);
  expect((await runPiped(home, ["-p", "still there?"])).stderr).toContain("mosaic login");
});

test("an answer streams into the terminal with its routed model, and -c shows it again", async () => {
  const first = terminalWith();
  await first.shows("synced", 20_000);
  first.type("What is Mosaic?\r");
  await first.shows(/→ \S+ · .+/, 20_000);
  first.type("/help\r");
  await first.shows("/model");
  first.type("\x04");
  expect(await first.exited).toBe(0);
  const second = terminalWith("-c");
  await second.shows("What is Mosaic?", 20_000);
  await second.shows(/→ \S+ · .+/);
});

test("a killed terminal goes on with -c where it was, and the answer was not lost", async () => {
  const first = terminalWith();
  await first.shows("synced", 20_000);
  first.type("Tell me about self-hosting.\r");
  await first.shows(/saved|…/);
  first.kill("SIGKILL");
  await first.exited;
  const second = terminalWith("-c");
  await second.shows("Tell me about self-hosting.", 20_000);
  await second.shows(/→ \S+ · .+/, 20_000);
  second.type("And again?\r");
  await second.shows(/And again\?[\s\S]*→ \S+ · .+/, 20_000);
  const { items } = await api().messages.list(await latest());
  expect(items.map(({ role }) => role)).toEqual(["user", "assistant", "user", "assistant"]);
});

test("what is sent while the runtime is down arrives once, when it is back", async () => {
  const terminal = terminalWith();
  await terminal.shows("synced", 20_000);
  await stack.kill9("workerd");
  terminal.type("sent into the dark\r");
  await terminal.shows(/→ \S+ · .+/, 45_000);
  const { items } = await api().messages.list(await latest());
  expect(items.filter(({ parts }) => textOf(parts) === "sent into the dark")).toHaveLength(1);
});

test("a model that is not there is told by its name, and no conversation is left behind", async () => {
  await runPiped(home, ["-p", "before"]);
  const before = await latest();
  const { code, stderr } = await runPiped(home, ["-p", "hi", "--model", "nosuchmodel"]);
  expect(code).toBe(1);
  expect(stderr).toContain("nosuchmodel");
  expect(await latest()).toBe(before);
});

test("an export is an address that can be opened, in the chat and printed", async () => {
  await runPiped(home, ["-p", "to be exported"]);
  const { stdout } = await runPiped(home, ["-c", "-p", "/export"]);
  const address = /https?:\/\/\S+format=markdown/.exec(stdout)?.[0] ?? "";
  const exported = await fetch(address, { headers: { authorization: `Bearer ${token}` } });
  expect(await exported.text()).toContain("to be exported");
  const terminal = terminalWith("-c");
  await terminal.shows("synced", 20_000);
  terminal.type("/export\r");
  await terminal.shows(`${stack.url}/api/conversations/`);
});

test("a conversation of someone else is not there", async () => {
  await runPiped(home, ["-p", "mine"]);
  const id = await latest();
  const other = await post("/sign-up/email", {
    name: "Eve",
    email: "eve@example.com",
    password: "another long password",
  });
  home.env.MOSAIC_TOKEN = other.headers.get("set-auth-token") ?? "";
  const { code, stdout, stderr } = await runPiped(home, ["-p", "yours?", "-c", id]);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
});
