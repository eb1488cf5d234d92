import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type FakeModelServer, startFakeModelServer } from "../../shared/testing/providers/fake-model-server.ts";
import { setStage } from "./stage.ts";
import { answers, say, signIn, signUp, wholeAnswer } from "./visitor.ts";
import { createWorkspace, invite, join } from "./workspace-steps.ts";

// Probes would mend what a test has broken; only what the tests ask for is asked.
const stage = setStage({ env: { ALLOW_PRIVATE_NETWORK: "1", PROVIDER_PROBE_SECONDS: "3600" } });
const KEY = "sk-canary-7f3e5b91";

/** Ada is the first here and so the admin: only she may save addresses of this machine, where the vendor stands in. */
let admin: string;
let vendor: FakeModelServer;
beforeAll(async () => {
  vendor = await startFakeModelServer();
});
afterAll(() => vendor.close());
beforeEach(() => vendor.always({ reply: ({ lastUserText }) => `Mine heard: ${lastUserText}` }));

const row = (page: Page, name: string) => page.getByRole("listitem", { name, exact: true });

async function connectOpenAi(page: Page, name: string, audience?: string): Promise<void> {
  await page.goto("/settings/providers?add=1");
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: /^OpenAI GPT/ }).click();
  await dialog.getByLabel("API key").fill(KEY);
  await dialog.getByLabel("Name").fill(name);
  if (audience !== undefined) await dialog.getByLabel("Who may use it").selectOption({ label: audience });
  await dialog.getByText("Another address, headers").click();
  await dialog.getByLabel("Address of the API").fill(`${vendor.url}/v1`);
  await dialog.getByRole("button", { name: "Connect", exact: true }).click();
  await dialog.waitFor({ state: "detached" });
}

async function ask(page: Page, text: string): Promise<string> {
  await page.goto("/");
  await say(page, text);
  return await wholeAnswer(page);
}

test("a key that somebody connects answers their next message, is seen to break, and is worked around", async () => {
  const { page, problems } = await stage.visit();
  admin = (await signUp(page)).email;
  await connectOpenAi(page, "My OpenAI");
  const mine = row(page, "My OpenAI");
  await mine.getByText("Working").waitFor();
  await mine.getByText("key …5b91").waitFor();
  await mine.getByRole("button", { name: "Test My OpenAI" }).click();
  await mine.getByText(/It answers in .* and lists \d+ models/).waitFor();
  expect(await ask(page, "who is there?")).toContain("Mine heard: who is there?");

  vendor.always({ status: 401 });
  expect(await ask(page, "and now?")).toContain("You said: and now?");
  await answers(page).getByText("gpt-5.4 →").waitFor();
  await page.goto("/settings/providers");
  await mine.getByText("Not reachable").waitFor();
  await mine
    .getByText(/OpenAI.+(key|401)/)
    .last()
    .waitFor();
  await page.goto("/");
  await page.getByRole("button", { name: "Model: Auto" }).click();
  await page
    .getByRole("option", { name: /OpenAI · not reachable/ })
    .first()
    .waitFor();

  vendor.always({ reply: () => "Back again" });
  await page.goto("/settings/providers");
  await mine.getByRole("button", { name: "Test My OpenAI" }).click();
  await mine.getByText("Working").waitFor();
  expect(await ask(page, "mended?")).toContain("Back again");
  expect(await page.content()).not.toContain(KEY);
  expect(problems).toEqual([]);
});

test("what is turned off is not asked, what is removed is gone with its key", async () => {
  const { page } = await stage.visit();
  await signUp(page, "Olga Off");
  await page.goto("/settings/providers");
  const dialog = page.getByRole("dialog");
  await page.getByRole("button", { name: /^OpenAI GPT/ }).click();
  await dialog.getByLabel("API key").fill(KEY);
  await dialog.getByText("Another address, headers").click();
  await dialog.getByLabel("Address of the API").fill(`${vendor.url}/v1`);
  await dialog.getByRole("button", { name: "Connect", exact: true }).click();
  // Not the admin: an address of a private network is refused, at its field.
  const address = dialog.getByLabel("Address of the API");
  await dialog.getByRole("alert").waitFor();
  expect(await address.getAttribute("aria-invalid")).toBe("true");
  await address.fill("");
  await dialog.getByRole("button", { name: "Connect", exact: true }).click();
  await dialog.waitFor({ state: "detached" });
  const own = row(page, "OpenAI");
  await own.getByRole("button", { name: "More for OpenAI" }).click();
  await page.getByRole("menuitem", { name: "Turn off" }).click();
  await own.getByText("Off: kept here, and not used.").waitFor();
  expect(await ask(page, "who answers?")).toContain("You said: who answers?");
  await page.goto("/settings/providers");
  await own.getByRole("button", { name: "More for OpenAI" }).click();
  await page.getByRole("menuitem", { name: "Remove" }).click();
  await dialog.getByRole("button", { name: "Remove", exact: true }).click();
  await page.getByText("None yet. What would you like to connect?").waitFor();
  await row(page, "Anthropic").getByText("Set by the operator").waitFor();
  expect(await row(page, "Anthropic").getByRole("button", { name: /^More/ }).count()).toBe(0);
});

test("nobody sees or spends another's key", async () => {
  const second = await stage.visit();
  await signUp(second.page, "Eve Else");
  const before = vendor.journal.length;
  expect(await ask(second.page, "mine, please")).toContain("You said: mine, please");
  expect(vendor.journal.length).toBe(before);
  await second.page.goto("/settings/providers");
  await row(second.page, "Anthropic").waitFor();
  await second.page.getByText("None yet").waitFor();
  expect(await row(second.page, "My OpenAI").count()).toBe(0);
  await second.page.goto("/settings/models");
  await second.page.getByText("Claude Opus 4.6").first().waitFor();
  expect(await second.page.getByText("My OpenAI").count()).toBe(0);
});

test("a workspace's key answers its members there, and only its admins may change it", async () => {
  const [{ page }, member] = [await stage.visit(), await stage.visit()];
  await signIn(page, admin);
  await createWorkspace(page, "Crew");
  const link = await invite(page, "mo@example.com");
  await join(member.page, link, "mo@example.com", "Mo Member");
  await connectOpenAi(page, "Crew key", "Everybody in Crew");
  await row(page, "Crew key").getByRole("button", { name: "More for Crew key" }).waitFor();
  await member.page.goto("/settings/providers");
  await row(member.page, "Crew key").waitFor();
  expect(await row(member.page, "Crew key").getByRole("button", { name: /^More/ }).count()).toBe(0);
  expect(await ask(member.page, "at home")).toContain("You said: at home");
  await member.page.goto("/");
  await member.page.getByRole("button", { name: /^Workspace/ }).click();
  await member.page.getByRole("menuitemradio", { name: "Crew" }).click();
  await say(member.page, "with the crew");
  expect(await wholeAnswer(member.page)).toContain("Mine heard: with the crew");
});

test("a key is replaced, never shown; for another address it has to come anew", async () => {
  const { page } = await stage.visit();
  await signUp(page, "Karl Key");
  await page.goto("/settings/providers");
  const dialog = page.getByRole("dialog");
  await page.getByRole("button", { name: /^Z\.ai/ }).click();
  await dialog.getByLabel("API key").fill(KEY);
  await dialog.getByRole("button", { name: "Connect", exact: true }).click();
  await dialog.waitFor({ state: "detached" });
  await row(page, "Z.ai").getByRole("button", { name: "More for Z.ai" }).click();
  await page.getByRole("menuitem", { name: "Edit" }).click();
  await dialog.getByText("…5b91").waitFor();
  expect(await dialog.getByLabel("API key").count()).toBe(0);
  await dialog.getByText("Another address, headers").click();
  await dialog.getByLabel("Address of the API").fill("https://gateway.example.org/v4");
  await dialog.getByText("A key goes only where it was saved for").waitFor();
  await dialog.getByRole("button", { name: "Save" }).click();
  expect(await dialog.getByLabel("API key").evaluate((input) => input.matches(":invalid"))).toBe(true);
});

test("the models stand in a table that is searched and sorted without a mouse", async () => {
  const { page, problems } = await stage.visit({ viewport: { width: 390, height: 844 } });
  await signUp(page, "Tina Table");
  await page.goto("/settings/models");
  const table = page.getByRole("table", { name: /^Models with tier/ });
  await table.getByRole("row").nth(1).waitFor();
  await page.getByRole("searchbox", { name: "Search models" }).fill("opus premium");
  await page.getByText(/^1 of \d+ models$/).waitFor();
  await page.keyboard.press("Escape");
  const heading = table.getByRole("button", { name: "Model" });
  await heading.focus();
  await page.keyboard.press("Enter");
  expect(await table.getByRole("columnheader", { name: "Model" }).getAttribute("aria-sort")).toBe("ascending");
  await page.keyboard.press("Enter");
  expect(await table.getByRole("columnheader", { name: "Model" }).getAttribute("aria-sort")).toBe("descending");
  expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
  expect(problems).toEqual([]);
});
