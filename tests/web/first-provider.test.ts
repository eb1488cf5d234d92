import { afterAll, beforeAll, expect, test } from "vitest";
import { aHome, type Home } from "../../shared/testing/node/terminal-process.ts";
import { ConnectorProcess } from "../connector/connector-process.ts";
import { type FakeOllama, startFakeOllama } from "../connector/fake-ollama.ts";
import { setStage } from "./stage.ts";
import { say, signUp, wholeAnswer } from "./visitor.ts";

// Nothing is connected by the operator.
const stage = setStage({ env: { ANTHROPIC_API_KEY: "", ALLOW_PRIVATE_NETWORK: "1" } });
let ollama: FakeOllama;
let home: Home;
beforeAll(async () => {
  ollama = await startFakeOllama({ name: "attic's ollama", words: 3 });
  home = aHome();
});
afterAll(async () => {
  await ollama.close();
  home.remove();
});

test("where nothing is connected, the page leads to the first answer of a model", async () => {
  const { page, problems } = await stage.visit();
  await signUp(page);
  await page.getByText("No language model is connected yet").waitFor();
  await page.getByRole("link", { name: "Connect a provider" }).click();
  const dialog = page.getByRole("dialog", { name: "Connect a provider" });
  await dialog.getByRole("button", { name: /^Anthropic/ }).click();
  const form = page.getByRole("dialog", { name: "Connect Anthropic" });
  await form.getByLabel("API key").fill("sk-ant-first-0001");
  await form.getByText("Another address, headers").click();
  await form.getByLabel("Address of the API").fill(stage.models.url);
  await form.getByRole("button", { name: "Connect", exact: true }).click();
  await page.getByRole("listitem", { name: "Anthropic" }).getByText("Working").waitFor();
  await page.getByRole("link", { name: "New conversation" }).click();
  await say(page, "first words");
  expect(await wholeAnswer(page)).toContain("You said: first words");
  expect(await page.getByText("No language model is connected yet").count()).toBe(0);
  expect(stage.models.journal.at(-1)?.headers["x-api-key"]).toBe("sk-ant-first-0001");
  expect(problems).toEqual([]);
});

test("a machine that dials in is seen coming, answers, is seen going, and is removed with what it offered", async () => {
  const { page, problems } = await stage.visit();
  await signUp(page, "Mia Machine");
  await page.goto("/settings/machines");
  await page.getByText("No machine is connected.").waitFor();
  await page.getByRole("button", { name: "Connect a machine" }).click();
  await page.getByLabel("Name of the machine").fill("attic");
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByText("Waiting for attic to dial in").waitFor();
  const command = (await page.getByRole("dialog").locator("code").first().textContent()) ?? "";
  expect(command).toMatch(/^npx mosaic connect --url http:\/\/localhost:\d+ --token \S+$/);
  const words = command.split(" ").slice(3);
  const machine = new ConnectorProcess(home, [...words, "--ollama", ollama.url]);
  await page.getByText("attic is online and offers ollama.").waitFor();
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByRole("listitem", { name: "attic" }).getByText("Online").waitFor();

  await page.getByRole("link", { name: "Providers", exact: true }).click();
  await page.getByRole("listitem", { name: "Ollama on attic" }).getByRole("button", { name: /^Test/ }).click();
  await page.getByText(/It answers in .* and lists \d+ models/).waitFor();
  await page.getByRole("link", { name: "New conversation" }).click();
  await say(page, "at home?");
  expect(await wholeAnswer(page)).toContain("attic's ollama");

  await machine.end("SIGTERM");
  await page.goto("/settings/machines");
  const row = page.getByRole("listitem", { name: "attic" });
  // One that comes back within half a minute was never away.
  await row.getByText(/Offline, last seen/).waitFor({ timeout: 60_000 });
  await row.getByRole("button", { name: "Remove attic" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove", exact: true }).click();
  await page.getByText("No machine is connected.").waitFor();
  await page.goto("/settings/providers");
  await page.getByText("None yet.").waitFor();
  expect(problems).toEqual([]);
}, 150_000);
