import { beforeEach, expect, test } from "vitest";
import { Me } from "../../shared/contract/account.ts";
import { setStage } from "./stage.ts";
import { questions, say, signUp, type Visitor, wholeAnswer } from "./visitor.ts";

const stage = setStage();
let visitor: Visitor;
beforeEach(async () => {
  visitor = await stage.visit();
});

const SENTENCE = "This message is too long: 600,000 of at most 524,288 characters. Send it as several.";

test("a message over the limit is told, stays in the box and makes no conversation", async () => {
  const { page, problems } = visitor;
  await signUp(page);
  const long = "x".repeat(600_000);
  const box = page.getByRole("textbox", { name: "Message" });
  await say(page, long);
  await page.getByRole("alert").getByText(SENTENCE).waitFor();
  expect((await box.inputValue()).length).toBe(long.length);
  expect(new URL(page.url()).pathname).toBe("/");
  await page.getByText("Your conversations will gather here.").waitFor();
  await say(page, "hello");
  await wholeAnswer(page);
  await say(page, long);
  await page.getByRole("alert").getByText(SENTENCE).waitFor();
  expect((await box.inputValue()).length).toBe(long.length);
  expect(await questions(page).count()).toBe(1);
  expect(problems).toEqual([]);
});

test("a kept message that can never be sent is shown, and goes when it is discarded", async () => {
  const { page } = visitor;
  await signUp(page);
  await say(page, "hello");
  await wholeAnswer(page);
  const conversationId = new URL(page.url()).pathname.split("/").at(-1);
  const { id: userId } = Me.shape.user.parse((await (await page.request.get("/api/me")).json()).user);
  await page.evaluate(
    ([id, userId]) => {
      const message = "0190d3a0-0000-4000-8000-000000000002";
      const kept = { id: message, text: "y".repeat(600_000), queuedAt: new Date().toISOString() };
      localStorage.setItem(`mosaic:outbox:${userId}:${id}:${message}`, JSON.stringify(kept));
    },
    [conversationId, userId],
  );
  await page.reload();
  await page.getByRole("alert").getByText(SENTENCE).waitFor();
  expect(await page.getByRole("button", { name: "Send again" }).count()).toBe(0);
  await page.getByRole("button", { name: "Discard" }).click();
  await page.getByRole("alert").waitFor({ state: "detached" });
  await page.reload();
  await wholeAnswer(page);
  expect(await questions(page).count()).toBe(1);
});
