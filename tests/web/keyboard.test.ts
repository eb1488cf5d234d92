import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { COMMANDS } from "../../shared/contract/commands.ts";
import { setStage } from "./stage.ts";
import { questions, say, signUp, wholeAnswer } from "./visitor.ts";

const stage = setStage();

/** Presses Tab until the named control has the focus. @throws Error when the whole page was gone round without it */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  const seen: string[] = [];
  for (let step = 0; step < 40; step += 1) {
    await page.keyboard.press("Tab");
    const focused = await page.evaluate(
      "document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? ''",
    );
    if (name.test(String(focused))) return;
    seen.push(String(focused));
  }
  throw new Error(`Tab leads to ${seen.join(", ")}, not to ${name}.`);
}

test("without a mouse: ask, look why, pin a model, edit, rename", async () => {
  const { page, problems } = await stage.visit();
  await signUp(page);
  await page.keyboard.type("only keys");
  await page.keyboard.press("Enter");
  await wholeAnswer(page);
  await tabTo(page, /^why\?$/);
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: "Why this model" }).getByText("not judged").waitFor();
  await page.keyboard.press("Escape");
  await tabTo(page, /^Model: Auto$/);
  await page.keyboard.press("Enter");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: /^Model: (?!Auto)/ }).waitFor();
  await tabTo(page, /^Edit message$/);
  await page.keyboard.press("Enter");
  await page.keyboard.press("Control+A");
  await page.keyboard.type("only keys, anew");
  await tabTo(page, /^Save and ask$/);
  await page.keyboard.press("Enter");
  await questions(page).getByText("only keys, anew").waitFor();
  await wholeAnswer(page);
  await tabTo(page, /^More for only keys/);
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  await page.keyboard.type("By hand");
  await page.keyboard.press("Enter");
  await page.getByRole("link", { name: "By hand" }).waitFor();
  expect(problems).toEqual([]);
});

test("Tab leaves an open menu and closes it, Escape gives the focus back", async () => {
  const { page } = await stage.visit();
  await signUp(page);
  await page.getByRole("button", { name: /^Account:/ }).press("Enter");
  await page.getByRole("menu").waitFor();
  await page.keyboard.press("Tab");
  await page.getByRole("menu").waitFor({ state: "detached" });
  const picker = page.getByRole("button", { name: /^Model:/ });
  for (const key of ["Escape", "Tab"]) {
    await picker.press("Enter");
    await page.getByRole("combobox", { name: "Search models" }).waitFor();
    await page.keyboard.press(key);
    await page.getByRole("listbox", { name: "Models" }).waitFor({ state: "detached" });
    if (key === "Escape") expect(await picker.evaluate((button) => button.matches(":focus"))).toBe(true);
  }
});

test("what commands answer keeps its lines, and /fork leads to the copy", async () => {
  const { page } = await stage.visit();
  await signUp(page);
  await say(page, "the original");
  await wholeAnswer(page);
  const original = page.url();
  await say(page, "/help");
  const help = page.getByRole("status", { name: "Result of /help" });
  await help.waitFor();
  // One line of 14-pixel text each, instead of one paragraph.
  expect((await help.locator("p").boundingBox())?.height).toBeGreaterThan(COMMANDS.length * 14);
  await say(page, "/fork");
  await page.getByRole("link", { name: "Go on there" }).click();
  await page.waitForURL((url) => url.href !== original && url.pathname.startsWith("/c/"));
  expect(await wholeAnswer(page)).toContain("You said: the original");
});
