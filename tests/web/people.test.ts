import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { setStage } from "./stage.ts";
import { PASSWORD, say, signUp, wholeAnswer } from "./visitor.ts";
import { createWorkspace, invite, join } from "./workspace-steps.ts";

const stage = setStage();

async function shareFirst(page: Page, item: RegExp): Promise<void> {
  const list = page.getByRole("navigation", { name: "Your conversations" });
  await list.getByRole("listitem").first().hover();
  await list
    .getByRole("button", { name: /^More for/ })
    .first()
    .click();
  await page.getByRole("menuitem", { name: item }).click();
}

const listed = (page: Page, title: string) =>
  page.getByRole("navigation", { name: "Your conversations" }).getByRole("link", { name: title });

test("an invited person joins by the mail's link, sees what is shared and nothing else, and no more once removed", async () => {
  const ada = await stage.visit();
  const ben = await stage.visit();
  await signUp(ada.page);
  const workspacePage = await createWorkspace(ada.page, "Crew");
  const link = await invite(ada.page, "ben@example.com");
  await join(ben.page, link, "ben@example.com", "Ben");

  await ada.page.goto("/");
  await ada.page.getByRole("button", { name: /^Workspace:/ }).click();
  await ada.page.getByRole("menuitemradio", { name: "Crew" }).click();
  await say(ada.page, "plans for the crew");
  await wholeAnswer(ada.page);
  await listed(ada.page, "plans for the crew").waitFor();
  await ben.page.reload();
  await ben.page.getByText("Your conversations will gather here.").waitFor();

  await shareFirst(ada.page, /Share with Crew/);
  await ada.page.getByTitle("Shared with Crew").waitFor();
  await ben.page.reload();
  await listed(ben.page, "plans for the crew").click();
  expect(await wholeAnswer(ben.page)).toContain("You said: plans for the crew");
  await ben.page.getByTitle("Shared with Crew").waitFor();
  await say(ben.page, "and from me");
  await ada.page.getByRole("article", { name: "Answer" }).getByText("You said: and from me").waitFor();

  await ada.page.goto(workspacePage);
  await ada.page.getByLabel("Role of Ben").selectOption("viewer");
  await ben.page.goto(workspacePage);
  await ben.page.getByText("viewer").waitFor();
  expect(await ben.page.getByRole("button", { name: "Invite" }).count()).toBe(0);
  await ada.page.getByRole("button", { name: "Remove Ben" }).click();
  await ada.page.getByRole("button", { name: "Remove for good" }).click();
  await ada.page.getByText("ben@example.com").waitFor({ state: "detached" });
  await ben.page.reload();
  await ben.page.getByRole("heading", { name: "This workspace is not here" }).waitFor();
  await ben.page.getByText("Your conversations will gather here.").waitFor();
  expect([...ada.problems, ...ben.problems]).toEqual([]);
  await Promise.all([ada.close(), ben.close()]);
});

test("an invitation for another address says so, and one that is taken back is of no use", async () => {
  const ada = await stage.visit();
  const eve = await stage.visit();
  await signUp(ada.page);
  await createWorkspace(ada.page, "Crew");
  const link = await invite(ada.page, "someone@example.com");
  await signUp(eve.page, "Eve");
  await eve.page.goto(link);
  await eve.page.getByText("This invitation is for another e-mail address.").waitFor();
  expect(await eve.page.getByRole("button", { name: "Join" }).count()).toBe(0);
  await ada.page.getByRole("button", { name: "Take back" }).click();
  await ada.page.getByText("someone@example.com").waitFor({ state: "detached" });
  await eve.page.reload();
  await eve.page.getByRole("alert").waitFor();
  await Promise.all([ada.close(), eve.close()]);
});

test("an account is deleted only after its address was typed, and is gone then", async () => {
  const { page } = await stage.visit();
  const { email } = await signUp(page);
  await say(page, "forget me");
  await wholeAnswer(page);
  await page.goto("/settings");
  await page.getByRole("button", { name: "Delete my account" }).click();
  const dialog = page.getByRole("dialog", { name: "Delete your account?" });
  await dialog.getByRole("textbox").fill("someone@else.example");
  await dialog.getByRole("button", { name: "Delete for good" }).click();
  await dialog.getByText("That is not the address of this account.").waitFor();
  await dialog.getByRole("textbox").fill(email);
  await dialog.getByRole("button", { name: "Delete for good" }).click();
  await page.waitForURL(/\/sign-up/);
  await page.goto("/sign-in");
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("do not belong together").waitFor();
});
