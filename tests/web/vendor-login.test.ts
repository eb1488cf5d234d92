import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import { startLoginVendor } from "../../shared/testing/node/login-vendor.ts";
import { aHome, type Home, runInTerminal, type TerminalProcess } from "../../shared/testing/node/terminal-process.ts";
import { startFakeModelServer } from "../../shared/testing/providers/fake-model-server.ts";
import { setStage } from "./stage.ts";
import { say, signUp, wholeAnswer } from "./visitor.ts";

const KEY = "sk-or-canary-55aa66bb";
const [vendor, models] = await Promise.all([startLoginVendor(KEY), startFakeModelServer()]);
const stage = setStage({
  env: { ANTHROPIC_API_KEY: "", PROVIDER_LOGINS: vendor.settings, OPENROUTER_BASE_URL: `${models.url}/v1` },
});
let home: Home;
let terminal: TerminalProcess | undefined;
beforeEach(() => {
  home = aHome();
});
afterEach(() => {
  terminal?.kill("SIGKILL");
  home.remove();
});
afterAll(async () => {
  await vendor.close();
  await models.close();
});

async function beginLogin(page: Page): Promise<void> {
  await page.goto("/settings/providers?add=1");
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: /^OpenRouter/ }).click();
  await dialog.getByRole("button", { name: "Log in with OpenRouter" }).click();
}

test("a login opens the vendor's page in a new window, and the first page notices its end", async () => {
  const { page, context, problems } = await stage.visit();
  await signUp(page);
  const opened = context.waitForEvent("page");
  await beginLogin(page);
  await (await opened).getByText("You can close this window").waitFor();
  await page.getByText("OpenRouter is connected.").waitFor();
  await page.getByRole("button", { name: "Done" }).click();
  const row = page.getByRole("listitem", { name: "OpenRouter" });
  await row.waitFor();
  await page.getByRole("link", { name: "New conversation" }).click();
  await say(page, "through the router");
  expect(await wholeAnswer(page)).toContain("You said: through the router");
  expect(models.journal.at(-1)?.headers.authorization).toBe(`Bearer ${KEY}`);
  expect(await page.content()).not.toContain(KEY);
  expect(problems).toEqual([]);
});

test("where the browser cannot come back, the address that it ended at is pasted; a wrong one says so", async () => {
  const { page, context } = await stage.visit();
  await signUp(page, "Pia Paste");
  // The window does not get anywhere; the person goes on in another browser, which cannot come back to this Mosaic.
  await context.route("**/auth?**", (route) => route.abort());
  const started = page.waitForResponse((response) => response.url().endsWith("/openrouter/login"));
  await beginLogin(page);
  const { url } = await (await started).json();
  const back = (await fetch(url, { redirect: "manual" })).headers.get("location") ?? "";
  const field = page.getByLabel("Did it end on a page that does not open?");
  await field.fill("https://openrouter.ai/");
  await page.getByRole("button", { name: "Finish with this address" }).click();
  await page.getByRole("dialog").getByRole("alert").waitFor();
  await field.fill(back);
  await page.getByRole("button", { name: "Finish with this address" }).click();
  await page.getByText("OpenRouter is connected.").waitFor();
});

test("a login from the terminal takes the pasted address, and nobody else sees what it made", async () => {
  const { page } = await stage.visit();
  const { email } = await signUp(page, "Tom Terminal");
  const signedIn = await fetch(`${stage.stack.url}/api/auth/sign-in/email`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: stage.stack.url },
    body: JSON.stringify({ email, password: "correct horse battery" }),
  });
  Object.assign(home.env, {
    MOSAIC_URL: stage.stack.url,
    MOSAIC_TOKEN: signedIn.headers.get("set-auth-token") ?? "",
  });
  terminal = runInTerminal(home, ["providers", "login", "openrouter", "--name", "Mine"]);
  const shown = await terminal.shows(/paste the address it ended at/, 20_000);
  const url = /Open (\S[\s\S]*?)\nWhen/.exec(shown)?.[1]?.replaceAll("\n", "") ?? "";
  const back = (await fetch(url, { redirect: "manual" })).headers.get("location") ?? "";
  terminal.type("https://example.org/wrong\r");
  terminal.type(`${back}\r`);
  await terminal.shows(/Connected Mine/, 20_000);
  expect(await terminal.exited).toBe(0);
  expect(terminal.raw()).not.toContain(KEY);
  await page.goto("/settings/providers");
  await page.getByRole("listitem", { name: "Mine" }).waitFor();
  const other = await stage.visit();
  await signUp(other.page, "Olaf Other");
  await other.page.goto("/settings/providers");
  await other.page.getByText("None yet.").waitFor();
});
