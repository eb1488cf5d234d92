import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { createApiClient } from "../../shared/client/api-client.ts";
import { type Stack, startStack } from "../../shared/testing/node/stack.ts";
import {
  aHome,
  type Home,
  runInTerminal,
  runPiped,
  type TerminalProcess,
} from "../../shared/testing/node/terminal-process.ts";
import { type FakeModelServer, startFakeModelServer } from "../../shared/testing/providers/fake-model-server.ts";

const KEY = "sk-canary-0c1d2e3f";

let stack: Stack;
let vendor: FakeModelServer;
let home: Home;
let tokens: { ada: string; eve: string };
let terminal: TerminalProcess | undefined;

async function signUp(name: string): Promise<string> {
  const response = await fetch(`${stack.url}/api/auth/sign-up/email`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: stack.url },
    body: JSON.stringify({ name, email: `${name}@example.com`, password: "correct horse battery" }),
  });
  expect(response.status).toBe(200);
  return response.headers.get("set-auth-token") ?? "";
}

beforeAll(async () => {
  vendor = await startFakeModelServer();
  stack = await startStack({ env: { ALLOW_PRIVATE_NETWORK: "1", PROVIDER_PROBE_SECONDS: "3600" } });
  // The first is the admin, who may save addresses of this machine.
  tokens = { ada: await signUp("ada"), eve: await signUp("eve") };
});
afterAll(async () => {
  await stack?.stop();
  await vendor?.close();
});
beforeEach(() => {
  vendor.always({});
  home = aHome();
  Object.assign(home.env, { MOSAIC_URL: stack.url, MOSAIC_TOKEN: tokens.ada });
});
afterEach(async () => {
  terminal?.kill("SIGKILL");
  home.remove();
  const api = createApiClient({ baseUrl: stack.url, token: tokens.ada });
  for (const { id } of (await api.providers.list()).items) await api.providers.remove(id);
});

const providers = (words: string[], stdin = "") => runPiped(home, ["providers", ...words], stdin);
const addMine = (...more: string[]) =>
  providers(["add", "openai", "--name", "Mine", "--base-url", `${vendor.url}/v1`, "--key-stdin", ...more], `${KEY}\n`);

test("without any provider the list says how to connect one", async () => {
  const { code, stdout } = await providers([]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining("npx mosaic providers add <kind>") });
  terminal = runInTerminal(home, []);
  await terminal.shows(/No language model is connected yet. To connect one: npx mosaic providers add/, 20_000);
});

test("a key from stdin connects a provider that is asked, answers, and never shows the key", async () => {
  const added = await addMine();
  expect(added).toMatchObject({
    code: 0,
    stderr: "",
    stdout: expect.stringMatching(/^Connected Mine \(.+\)\. It answers in/),
  });
  const listed = await providers([]);
  expect(listed.stdout).toMatch(/^Mine \(OpenAI, only you, .+, key …2e3f\)\n {2}Working/);
  const models = await runPiped(home, ["models"]);
  expect(models.stdout).toMatch(/^openai\/gpt-5\.4 +standard .* Working$/m);
  const answer = await runPiped(home, ["-p", "hello", "--json"]);
  expect(JSON.parse(answer.stdout)).toMatchObject({
    text: "You said: hello",
    receipt: { chosen: { provider: "openai" } },
  });
  expect(vendor.journal.at(-1)?.headers.authorization).toBe(`Bearer ${KEY}`);
  const asJson = await providers(["--json"]);
  expect(JSON.parse(asJson.stdout).items).toMatchObject([{ displayName: "Mine", credential: { hint: "…2e3f" } }]);
  for (const { stdout, stderr } of [added, listed, models, answer, asJson]) expect(stdout + stderr).not.toContain(KEY);
});

test("a key typed into the terminal is not shown", async () => {
  terminal = runInTerminal(home, ["providers", "add", "openai", "--base-url", `${vendor.url}/v1`]);
  await terminal.shows("OpenAI API key: ");
  terminal.type(`${KEY}x\x7f\r`);
  await terminal.shows(/Connected OpenAI/, 20_000);
  expect(await terminal.exited).toBe(0);
  expect(terminal.raw()).not.toContain(KEY);
  expect(stack.output()).not.toContain(KEY);
  await runPiped(home, ["-p", "hello"]);
  expect(vendor.journal.at(-1)?.headers.authorization).toBe(`Bearer ${KEY}`);
});

test("a provider is tested, disabled, enabled, preferred and removed by its name", async () => {
  await addMine();
  expect(await providers(["test", "mine"])).toMatchObject({ code: 0, stdout: expect.stringContaining("lists") });
  expect((await providers(["disable", "Mine"])).stdout).toBe("Mine is disabled. It applies to the next message.\n");
  expect((await providers([])).stdout).toContain("Disabled");
  expect((await runPiped(home, ["-p", "hello", "--json"])).stdout).toContain('"provider":"guide"');
  expect((await providers(["enable", "Mine"])).code).toBe(0);
  expect((await providers(["default", "Mine"])).code).toBe(0);
  expect((await providers([])).stdout).toContain("default");
  expect(JSON.parse((await providers(["remove", "Mine", "--json"])).stdout)).toMatchObject({ removed: true });
  expect((await providers(["test", "Mine"])).code).toBe(2);
});

test("what a vendor refuses is one sentence with exit code 1", async () => {
  await vendor.close();
  const refused = await addMine();
  vendor = await startFakeModelServer();
  expect(refused.code).toBe(1);
  expect(refused.stdout.trimEnd().split("\n")).toHaveLength(1);
  expect(refused.stdout).toMatch(/^Saved Mine .*\./);
});

test.each([
  [["add", "openai", "--key-stdin"], "", /No key was given/, 2],
  [["add", "ollama", "--base-url", "https://10.1.2.3", "--header", "X-A", "--key-stdin"], "", /No value.*X-A/, 2],
  [["add", "openai"], "", /pipe it in with --key-stdin/, 2],
  [["add", "openai", "--workspace", "Nowhere", "--key-stdin"], "k", /no workspace/, 2],
  [["remove", "Nothing"], "", /no provider/, 2],
  [["login", "anthropic"], "", /./, 1],
])("providers %j is refused in one sentence", async (words, stdin, message, code) => {
  const ended = await providers(words, stdin);
  expect(ended).toMatchObject({ code, stdout: "", stderr: expect.stringMatching(message) });
  expect(ended.stderr.trimEnd().split("\n")).toHaveLength(1);
});

test("somebody else neither sees nor removes it, and may not save addresses of private networks", async () => {
  await addMine();
  const [mine] = JSON.parse((await providers(["--json"])).stdout).items;
  home.env.MOSAIC_TOKEN = tokens.eve;
  expect((await providers([])).stdout).not.toContain("Mine");
  expect(await providers(["remove", mine.id])).toMatchObject({ code: 2, stdout: "" });
  expect(await addMine()).toMatchObject({ code: 1, stdout: "", stderr: expect.stringMatching(/^mosaic: .+\n$/) });
  expect(await addMine("--scope", "system")).toMatchObject({ code: 1, stdout: "" });
  const before = vendor.journal.length;
  await runPiped(home, ["-p", "hello"]);
  expect(vendor.journal.length).toBe(before);
});
