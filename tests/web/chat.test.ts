import { beforeEach, expect, test } from "vitest";
import { setStage } from "./stage.ts";
import { answers, PASSWORD, questions, say, signUp, type Visitor, watch, wholeAnswer } from "./visitor.ts";

const stage = setStage();
let visitor: Visitor;
beforeEach(async () => {
  visitor = await stage.visit();
});

test("a newcomer signs up, asks, sees the answer grow and the model that gave it, and the console stays clean", async () => {
  const { page, problems } = visitor;
  await signUp(page);
  stage.models.next({ reply: "one two three four five six seven eight", delayMs: 120 });
  await say(page, "count for me");
  await page.waitForURL(/\/c\/[0-9a-f-]{36}$/);
  await answers(page).getByText("one two").waitFor();
  expect(await answers(page).textContent()).not.toContain("eight");
  expect(await wholeAnswer(page)).toContain("one two three four five six seven eight");
  await page.locator('[data-status="answered"]').waitFor();
  await page.getByRole("button", { name: "why?" }).click();
  const receipt = page.getByRole("dialog", { name: "Why this model" });
  expect(await receipt.textContent()).toContain("claude");
  await page.keyboard.press("Escape");
  await receipt.waitFor({ state: "detached" });
  expect(problems).toEqual([]);
});

test("Esc stops the answer, keeps what was said, and the conversation goes on", async () => {
  const { page, problems } = visitor;
  await signUp(page);
  stage.models.next({ tokens: 2000, delayMs: 40 });
  await say(page, "talk for long");
  await answers(page).getByText("t0 t1").waitFor();
  await page.keyboard.press("Escape");
  await page.getByText("Stopped by you.").waitFor();
  const kept = await answers(page).textContent();
  expect(kept).toContain("t0 t1");
  expect(kept).not.toContain("t1999");
  stage.models.next({ reply: "still here" });
  await say(page, "are you there?");
  await answers(page).nth(1).getByText("still here").waitFor();
  expect(problems).toEqual([]);
});

test("a reload in the middle of an answer loses none of it", async () => {
  const { page } = visitor;
  await signUp(page);
  stage.models.next({ tokens: 60, delayMs: 50 });
  await say(page, "a long one");
  await answers(page).getByText("t0 t1 t2").waitFor();
  await page.reload();
  const text = await wholeAnswer(page);
  expect(text).toContain(Array.from({ length: 60 }, (_unused, index) => `t${index}`).join(" "));
  expect(await questions(page).count()).toBe(1);
});

test("questions asked during an answer are each followed by their own answer", async () => {
  const { page } = visitor;
  await signUp(page);
  stage.models.next({ tokens: 60, delayMs: 50 });
  await say(page, "first");
  await answers(page).getByText("t0 t1").waitFor();
  await say(page, "second");
  await say(page, "third");
  await wholeAnswer(page, 3);
  const roles = await page.getByRole("article").evaluateAll((all) => all.map((one) => one.getAttribute("aria-label")));
  expect(roles).toEqual(Array.from({ length: 3 }, () => ["Your message", "Answer"]).flat());
});

test("a conversation deleted in another tab leaves the list", async () => {
  const { page, context } = visitor;
  await signUp(page);
  await say(page, "soon gone");
  await wholeAnswer(page);
  const id = new URL(page.url()).pathname.split("/").at(-1);
  const origin = stage.stack.url;
  const gone = await context.request.delete(`/api/conversations/${id}`, { headers: { origin } });
  expect(gone.ok()).toBe(true);
  await page
    .getByRole("navigation", { name: "Your conversations" })
    .getByText("Your conversations will gather here.")
    .waitFor();
});

test("a second tab sees the same conversation live", async () => {
  const { page, context, problems } = visitor;
  await signUp(page);
  await say(page, "first");
  await wholeAnswer(page);
  const second = await context.newPage();
  watch(second, stage.stack.url, problems);
  await second.goto(page.url());
  await wholeAnswer(second);
  stage.models.next({ tokens: 40, delayMs: 40 });
  await say(page, "second");
  await answers(second).nth(1).getByText("t0 t1").waitFor();
  await page.locator('[aria-busy="true"]').waitFor();
  expect(await wholeAnswer(second, 2)).toContain("t39");
  expect(problems).toEqual([]);
});

test("a message typed while offline is kept and goes out once the way is free", async () => {
  const { page, context } = visitor;
  await signUp(page);
  await say(page, "hello");
  await wholeAnswer(page);
  // This tab reaches everything but the socket from here on.
  await page.routeWebSocket(/\/socket$/, (socket) => socket.close());
  await page.reload();
  await page.getByText("What you send is kept here").waitFor();
  await say(page, "while away");
  await page.locator('[data-status="sending"]').waitFor();
  const sameBrowser = await context.newPage();
  await sameBrowser.goto(page.url());
  expect(await wholeAnswer(sameBrowser, 2)).toContain("You said: while away");
});

test("conversations are listed, filtered, renamed and deleted with a question first", async () => {
  const { page, problems } = visitor;
  await signUp(page);
  await say(page, "about tulips");
  await wholeAnswer(page);
  const list = page.getByRole("navigation", { name: "Your conversations" });
  await list.getByRole("listitem").first().hover();
  await list
    .getByRole("button", { name: /^More for/ })
    .first()
    .click();
  await page.getByRole("menuitem", { name: "Rename" }).click();
  await page.getByRole("textbox", { name: "Title" }).fill("Tulips");
  await page.getByRole("button", { name: "Rename" }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await list.getByRole("link", { name: "Tulips" }).waitFor();
  await page.keyboard.press("Control+k");
  await page.keyboard.type("nothing like it");
  await list.getByText("No title matches.").waitFor();
  await page.keyboard.press("Escape");
  await list.getByRole("listitem").first().hover();
  await list.getByRole("button", { name: "More for Tulips" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await list.getByText("Your conversations will gather here.").waitFor();
  expect(new URL(page.url()).pathname).toBe("/");
  expect(problems).toEqual([]);
});

test("signing out closes the door; signing in returns to where one was", async () => {
  const { page } = visitor;
  const { email } = await signUp(page);
  await say(page, "remember me");
  await wholeAnswer(page);
  const conversation = page.url();
  await page.getByRole("button", { name: /^Account/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.waitForURL(/\/sign-in/);
  await page.goto(conversation);
  await page.waitForURL(/\/sign-in/);
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill("not the password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("do not belong together").waitFor();
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(conversation);
  expect(await wholeAnswer(page)).toContain("You said: remember me");
});

test("what does not exist says so, kindly", async () => {
  const { page, problems } = visitor;
  await signUp(page);
  await page.goto("/no/such/page");
  await page.getByRole("heading", { name: "Nothing lives here" }).waitFor();
  await page.goto("/c/00000000-0000-7000-8000-000000000000");
  await page.getByRole("heading", { name: "This conversation is not here" }).waitFor();
  expect(problems.filter((problem) => !/WebSocket/.test(problem))).toEqual([]);
});
