import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Stack, startStack } from "../../shared/testing/node/stack.ts";
import { launchChromium } from "./chromium.ts";
import { visit } from "./visitor.ts";

let stack: Stack;
let browser: Browser;

beforeAll(async () => {
  [stack, browser] = await Promise.all([startStack(), launchChromium()]);
});
afterAll(async () => {
  await browser?.close();
  await stack?.stop();
});

test("the API's page shows its operations without a complaint of the browser", async () => {
  const { page, problems, close } = await visit(browser, stack.url);
  await page.goto("/api/docs");
  await page.locator(".opblock").first().waitFor();
  const paths = await page.locator(".opblock-summary-path").allTextContents();
  expect(paths.map((path) => path.replaceAll("\u200b", "").trim())).toContain("/api/conversations");
  // Open one: its parts are drawn only then.
  await page.locator(".opblock-summary-control").first().click();
  await page.locator(".opblock-body").first().waitFor();
  expect(problems).toEqual([]);
  await close();
});
