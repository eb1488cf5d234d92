/** A person at a browser: a context of their own, everything their console complained about, and the steps they take. */
import { randomUUID } from "node:crypto";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";

export interface Visitor {
  context: BrowserContext;
  page: Page;
  /** Errors of the console and of scripts, CSP violations, and requests that left the stack's origin. */
  problems: string[];
  close(): Promise<void>;
}

/** A failed sign-in, a gone conversation: the browser logs every such answer, and tests that expect one allow it. */
const isHttpStatusLine = (text: string): boolean =>
  text.startsWith("Failed to load resource: the server responded with");

export function watch(page: Page, origin: string, problems: string[]): void {
  page.on("console", (message) => {
    const text = message.text();
    if (/content security policy/i.test(text)) problems.push(text);
    else if (message.type() === "error" && !isHttpStatusLine(text)) problems.push(text);
  });
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (/^(https?|wss?):$/.test(url.protocol) && url.host !== new URL(origin).host)
      problems.push(`left for ${url.href}`);
  });
}

export async function visit(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Visitor> {
  const context = await browser.newContext({ baseURL: url, viewport: { width: 1200, height: 800 }, ...options });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  const problems: string[] = [];
  watch(page, url, problems);
  return { context, page, problems, close: () => context.close() };
}

export const PASSWORD = "correct horse battery";

/** Makes an account through the page and ends at the empty composer. */
export async function signUp(page: Page, name = "Ada Lovelace"): Promise<{ email: string }> {
  const email = `${randomUUID()}@example.com`;
  await page.goto("/");
  await page.getByRole("link", { name: "Create an account" }).click();
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Create account" }).click();
  await page.getByRole("textbox", { name: "Message" }).waitFor();
  return { email };
}

/** For somebody who has an account; ends at the empty composer. */
export async function signIn(page: Page, email: string): Promise<void> {
  await page.goto("/sign-in");
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("textbox", { name: "Message" }).waitFor();
}

export async function say(page: Page, text: string): Promise<void> {
  const box = page.getByRole("textbox", { name: "Message" });
  await box.fill(text);
  await box.press("Enter");
}

export const answers = (page: Page) => page.getByRole("article", { name: "Answer" });
export const questions = (page: Page) => page.getByRole("article", { name: "Your message" });

/** Waits until the newest answer is whole, and gives its words. */
export async function wholeAnswer(page: Page, count = 1): Promise<string> {
  const answer = answers(page).nth(count - 1);
  await page
    .locator('[data-status="done"]')
    .nth(count - 1)
    .waitFor();
  return (await answer.textContent()) ?? "";
}
