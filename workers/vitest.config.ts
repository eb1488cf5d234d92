import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [
    cloudflareTest(({ inject }) => ({
      wrangler: { configPath: "./wrangler.toml" },
      miniflare: {
        bindings: {
          PUBLIC_URL: "http://localhost:8787",
          DATABASE_APP_URL: inject("databaseAppUrl"),
          DATABASE_AUTH_URL: inject("databaseAuthUrl"),
          DATABASE_HTTP_ENDPOINT: inject("databaseEndpoint"),
          BETTER_AUTH_SECRET: "a secret for tests, long enough to be taken",
          CREDENTIALS_KEYS: "test:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
          ANTHROPIC_API_KEY: "test-key",
          ANTHROPIC_BASE_URL: inject("modelUrl"),
          OLLAMA_BASE_URL: "off",
          PROVIDER_LOGINS: inject("providerLogins"),
        },
      },
    })),
  ],
  test: {
    name: "workerd",
    root: "..",
    include: ["{workers,durable-objects,tests/{isolation,fuzz}}/**/*.workerd.test.ts"],
    globalSetup: [
      "shared/testing/worker/database.setup.ts",
      "shared/testing/worker/model-server.setup.ts",
      "shared/testing/worker/login-vendor.setup.ts",
    ],
    testTimeout: 20_000,
    // A second worker would get every module of the first in one message, and 32 MiB is the most that workerd takes.
    isolate: false,
  },
});
