import { OAuth2Server } from "oauth2-mock-server";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Stack, startStack } from "../../shared/testing/node/stack.ts";
import { launchChromium } from "./chromium.ts";
import { visit } from "./visitor.ts";

const provider = new OAuth2Server();
let stack: Stack;
let browser: Browser;

beforeAll(async () => {
  await provider.issuer.keys.generate("RS256");
  await provider.start(0, "127.0.0.1");
  provider.service.on("beforeTokenSigning", ({ payload }) => {
    Object.assign(payload, { sub: "grace", email: "grace@example.com", email_verified: true, name: "Grace Hopper" });
  });
  const env = {
    OIDC_ISSUER: provider.issuer.url ?? "",
    OIDC_CLIENT_ID: "mosaic",
    OIDC_CLIENT_SECRET: "s",
    OIDC_NAME: "Authentik",
  };
  [stack, browser] = await Promise.all([startStack({ env }), launchChromium()]);
});
afterAll(async () => {
  await browser?.close();
  await stack?.stop();
  await provider.stop();
});

test("a person of the operator's identity provider gets in by one button, and back to where they were going", async () => {
  const { page, close } = await visit(browser, stack.url);
  await page.goto("/settings");
  await page.waitForURL(/\/sign-in/);
  await page.getByRole("button", { name: "Continue with Authentik" }).click();
  await page.waitForURL(`${stack.url}/settings`);
  await page.getByText("grace@example.com").first().waitFor();
  expect(await page.getByText("Admin of this instance").count()).toBe(1);
  await close();
});

test("says so when the provider sends a person back without letting them in", async () => {
  const { page, close } = await visit(browser, stack.url);
  await page.goto("/sign-in?error=access_denied");
  await page.getByText("Authentik did not let you in (access_denied).").waitFor();
  await close();
});
