import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort, type Stack, startStack } from "../../shared/testing/node/stack.ts";
import { type FakeModelServer, startFakeModelServer } from "../../shared/testing/providers/fake-model-server.ts";
import { launchChromium } from "./chromium.ts";
import { PASSWORD, say, visit, wholeAnswer } from "./visitor.ts";

/** A name of a house network: for a browser no secure context, unlike localhost. */
const NAME = "mosaic.home.arpa";
const SETUP_TOKEN = "the-token-that-the-stack-printed";

let models: FakeModelServer;
let stack: Stack;
let browser: Browser;
let url: string;

beforeAll(async () => {
  models = await startFakeModelServer();
  const port = await freePort();
  url = `http://${NAME}:${port}`;
  const env = { PUBLIC_URL: url, SETUP_TOKEN, ANTHROPIC_BASE_URL: models.url, ANTHROPIC_API_KEY: "test-key" };
  [stack, browser] = await Promise.all([
    startStack({ env, port }),
    launchChromium(`--host-resolver-rules=MAP ${NAME} 127.0.0.1`),
  ]);
});
afterAll(async () => {
  await browser?.close();
  await stack?.stop();
  await models?.close();
});

test("over plain http and another name than localhost, a newcomer signs up, asks, reads and copies", async () => {
  const { page, problems, close } = await visit(browser, url);
  await page.goto("/sign-up");
  expect(await page.evaluate("isSecureContext")).toBe(false);
  await page.getByLabel("Name").fill("Grace Hopper");
  await page.getByLabel("E-mail").fill("grace@example.com");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Create account" }).click();
  await page.getByLabel("Setup token").fill(SETUP_TOKEN);
  await page.getByRole("button", { name: "Create account" }).click();
  await say(page, "hello over http");
  expect(await wholeAnswer(page)).toContain("You said: hello over http");
  await page.getByRole("article", { name: "Answer" }).hover();
  await page.getByRole("button", { name: "Copy answer" }).click();
  await page.getByRole("button", { name: "Copied" }).waitFor();
  const box = page.getByRole("textbox", { name: "Message" });
  await box.focus();
  await page.keyboard.press("Control+V");
  expect(await box.inputValue()).toBe("You said: hello over http");
  // The browser's remark that it heeds this header over https only; the page loses nothing by it.
  expect(problems.filter((problem) => !problem.startsWith("The Cross-Origin-Opener-Policy"))).toEqual([]);
  await close();
});
