import type { Page } from "playwright-core";
import { beforeEach, expect, test } from "vitest";
import * as z from "zod";
import { setStage } from "./stage.ts";
import { answers, questions, say, signUp, type Visitor, wholeAnswer } from "./visitor.ts";

const stage = setStage();
let visitor: Visitor;
beforeEach(async () => {
  visitor = await stage.visit();
});

const meStatus = async (key: string): Promise<number> =>
  (await fetch(`${stage.stack.url}/api/me`, { headers: { "x-api-key": key } })).status;

test("an API key is shown once, works, and stops working when revoked", async () => {
  const { page, problems } = visitor;
  await signUp(page);
  await page.goto("/settings");
  await page.getByLabel("Name of the new key").fill("laptop");
  await page.getByRole("button", { name: "Create key" }).click();
  const notice = page.getByText("Copy it now").locator("..");
  const key = (await notice.locator("code").textContent()) ?? "";
  expect(await meStatus(key)).toBe(200);
  await page.reload();
  await page.getByText("laptop").waitFor();
  expect(await page.content()).not.toContain(key);
  await page.getByRole("button", { name: "Revoke" }).click();
  await page.getByRole("button", { name: "Revoke for good" }).click();
  await page.getByText("laptop").waitFor({ state: "detached" });
  expect(await meStatus(key)).toBe(401);
  expect(problems).toEqual([]);
});

test("the workspace's default model answers the next message", async () => {
  const { page, problems } = visitor;
  await signUp(page);
  await page.goto("/settings");
  const select = page.getByLabel("Default model of this workspace");
  const values = await select
    .locator("option")
    .evaluateAll((options) => options.map((option) => option.getAttribute("value") ?? ""));
  const other = values.find((value) => value.includes("haiku")) ?? values.at(-1) ?? "";
  await select.selectOption(other);
  await page.getByText("Saved. It applies").waitFor();
  await page.goto("/");
  await say(page, "who are you?");
  expect(await wholeAnswer(page)).toContain(other.split("/").at(-1));
  expect(problems).toEqual([]);
});

const DeviceCode = z.object({ device_code: z.string(), user_code: z.string() });
const post = (path: string, body: unknown) =>
  fetch(`${stage.stack.url}/api/auth${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

async function decideDevice(page: Page, decision: "Approve" | "Deny"): Promise<Response> {
  const code = DeviceCode.parse(await (await post("/device/code", { client_id: "mosaic-cli" })).json());
  await page.goto(`/device?user_code=${code.user_code}`);
  await page.getByText("The Mosaic terminal client").waitFor();
  await page.getByRole("button", { name: decision }).click();
  await page.getByText(decision === "Approve" ? "it is signed in" : "gets nothing").waitFor();
  const grant = "urn:ietf:params:oauth:grant-type:device_code";
  return await post("/device/token", { grant_type: grant, device_code: code.device_code, client_id: "mosaic-cli" });
}

test("a terminal gets its token when its code is approved, and nothing when it is denied", async () => {
  const { page } = visitor;
  await signUp(page);
  expect((await decideDevice(page, "Approve")).status).toBe(200);
  expect((await decideDevice(page, "Deny")).status).toBe(400);
  await page.goto("/device");
  await page.getByLabel("Code").fill("NOTACODE");
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByRole("alert").waitFor();
});

test("a failed answer says why, and Retry answers after all", async () => {
  const { page } = visitor;
  await signUp(page);
  stage.models.next({ status: 400 });
  await say(page, "will it work?");
  await page.locator('[data-status="failed"]').first().waitFor();
  await page.getByRole("button", { name: "Retry" }).click();
  await answers(page).getByText("You said: will it work?").waitFor();
});

test("an edited message is asked anew and the earlier version is kept", async () => {
  const { page, problems } = visitor;
  await signUp(page);
  await say(page, "frist");
  await wholeAnswer(page);
  await questions(page).first().hover();
  await page.getByRole("button", { name: "Edit message" }).click();
  await page.getByLabel("Edit your message").fill("first");
  await page.getByRole("button", { name: "Save and ask" }).click();
  await answers(page).getByText("You said: first").waitFor();
  await page.getByText("Edited. The JSON export has every version.").waitFor();
  expect(await questions(page).count()).toBe(1);
  expect(problems).toEqual([]);
});

test("commands answer in place and a pinned model stays pinned", async () => {
  const { page, problems } = visitor;
  await signUp(page);
  await say(page, "hello");
  await wholeAnswer(page);
  await page.getByRole("textbox", { name: "Message" }).fill("/hel");
  await page.getByRole("option", { name: /help/ }).waitFor();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  await page.getByRole("status", { name: "Result of /help" }).waitFor();
  await page.getByRole("button", { name: /^Model:/ }).click();
  await page.getByRole("combobox", { name: "Search models" }).fill("haiku");
  const choice = page.getByRole("option").first();
  const name = (await choice.locator("span span").first().textContent()) ?? "";
  await choice.click();
  await page.getByRole("button", { name: `Model: ${name}` }).waitFor();
  await page.reload();
  await page.getByRole("button", { name: `Model: ${name}` }).waitFor();
  expect(problems).toEqual([]);
});

test("fits a phone of 360 pixels and keeps a chosen theme over a reload", async () => {
  const phone = await stage.visit({
    viewport: { width: 360, height: 740 },
    hasTouch: true,
    colorScheme: "light",
  });
  const { page } = phone;
  await signUp(page);
  stage.models.next({
    reply: `${"unbreakable".repeat(30)}\n\n| a | b | c |\n|---|---|---|\n| ${"x".repeat(90)} | y | z |`,
  });
  await say(page, "wide things");
  await wholeAnswer(page);
  expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(360);
  await page.getByRole("button", { name: "Open sidebar" }).click();
  await page.getByRole("button", { name: "Theme: system. Change to light" }).click();
  await page.getByRole("button", { name: "Theme: light. Change to dark" }).click();
  await page.reload();
  expect(await page.evaluate("getComputedStyle(document.body).backgroundColor")).toBe("rgb(23, 22, 20)");
  await phone.close();
});
