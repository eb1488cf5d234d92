/** How people at the page come together in a workspace. */
import type { Page } from "playwright-core";
import { PASSWORD } from "./visitor.ts";

/** @returns the address of its page */
export async function createWorkspace(page: Page, name: string): Promise<string> {
  await page.goto("/settings");
  await page.getByLabel("Name of the new workspace").fill(name);
  await page.getByRole("button", { name: "Create workspace" }).click();
  await page.getByRole("heading", { name, level: 1 }).waitFor();
  return page.url();
}

/** @returns the link that the mail carries */
export async function invite(page: Page, email: string): Promise<string> {
  await page.getByLabel("E-mail of whom to invite").fill(email);
  const answered = page.waitForResponse((response) => response.url().endsWith("/organization/invite-member"));
  await page.getByRole("button", { name: "Invite" }).click();
  const { id } = await (await answered).json();
  await page.getByText("invited as member").waitFor();
  return `${new URL(page.url()).origin}/invitations/${id}`;
}

export async function join(page: Page, link: string, email: string, name: string): Promise<void> {
  await page.goto(link);
  await page.getByRole("link", { name: "Create an account" }).click();
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Create account" }).click();
  await page.getByRole("region", { name: "Invitation" }).getByText("Crew").waitFor();
  await page.getByRole("button", { name: "Join" }).click();
  await page.getByRole("textbox", { name: "Message" }).waitFor();
}
