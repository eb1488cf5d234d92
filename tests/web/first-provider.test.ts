import { expect, test } from "vitest";
import { setStage } from "./stage.ts";
import { say, signUp, wholeAnswer } from "./visitor.ts";

// Nothing is connected by the operator.
const stage = setStage({ env: { ANTHROPIC_API_KEY: "", ALLOW_PRIVATE_NETWORK: "1" } });

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

test("a machine that dials in shows as online, and what it offers as a provider", async () => {
  const { page, problems } = await stage.visit();
  await signUp(page, "Mia Machine");
  await page.goto("/settings/machines");
  await page.getByText("No machine is connected.").waitFor();
  await page.getByRole("button", { name: "Connect a machine" }).click();
  await page.getByLabel("Name of the machine").fill("attic");
  await page.getByRole("button", { name: "Continue" }).click();
  const command = (await page.getByRole("dialog").locator("code").first().textContent()) ?? "";
  expect(command).toMatch(/^npx mosaic connect --url http:\/\/localhost:\d+ --token \S+$/);
  await page.getByText("Waiting for attic to dial in").waitFor();
  expect(problems).toEqual([]);
});
