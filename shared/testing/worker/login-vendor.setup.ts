import type { TestProject } from "vitest/node";
import { LoginVendor } from "../provider-logins/login-vendor.ts";

/** A vendor that one can log in to, for all tests in workerd. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const vendor = await new LoginVendor().start();
  const { url } = vendor;
  project.provide("loginVendorUrl", url);
  project.provide(
    "providerLogins",
    JSON.stringify({
      openrouter: { authorizationUrl: `${url}/auth`, tokenUrl: `${url}/keys` },
      zai: {
        clientId: "mosaic",
        authorizationUrl: `${url}/authorize`,
        tokenUrl: `${url}/short/token`,
        revocationUrl: `${url}/revoke`,
      },
    }),
  );
  return () => vendor.stop();
}
