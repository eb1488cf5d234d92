/**
 * `npm run deploy`: builds, makes the queues that are missing, brings the database up to date as its owner, then deploys
 * to Cloudflare with the secrets from the environment. Nothing happens when something is missing.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OperatorSettings, parseSettings } from "../shared/contract/settings.ts";
import { builtQueues, makeMissingQueues } from "./cloudflare-queues.ts";

const root = join(import.meta.dirname, "..");

const needed = {
  DATABASE_URL: "the owner's connection string, for the migrations",
  DATABASE_APP_URL: "the connection string of app_user",
  DATABASE_AUTH_URL: "the connection string of auth_user",
  BETTER_AUTH_SECRET: "at least 32 characters, always the same",
  CREDENTIALS_KEYS: "kid:base64 of 32 bytes, always the same",
  PUBLIC_URL: "the address people will use",
} as const;

/** Uploaded when set; the owner's connection string never is. */
const optional = [...Object.keys(OperatorSettings.shape), "OLLAMA_BASE_URL"];

function run(args: string[]): Promise<void> {
  const child = spawn(process.execPath, args, {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, WRANGLER_SEND_METRICS: "false" },
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve();
      else
        reject(
          new Error(`${args[0]} ended with code ${code}; its own lines above say why. Nothing after it was done.`),
        );
    });
  });
}

async function deploy(): Promise<void> {
  const missing = Object.entries(needed).filter(([name]) => !process.env[name]);
  if (missing.length > 0) {
    const list = missing.map(([name, meaning]) => `${name} (${meaning})`).join(", ");
    throw new Error(`Nothing was deployed: set ${list}. See docs/deploying.md.`);
  }
  const settings = parseSettings(process.env);
  if (!settings.ok) throw new Error(`Nothing was deployed: ${settings.problems}. See docs/deploying.md.`);
  await run(["scripts/build.ts"]);
  await makeMissingQueues(builtQueues());
  await run(["scripts/migrate.ts"]);
  const { DATABASE_URL: _owner, ...uploaded } = needed;
  const names = [...Object.keys(uploaded), ...optional].filter((name) => process.env[name]);
  const folder = mkdtempSync(join(tmpdir(), "mosaic-deploy-"));
  try {
    const secrets = join(folder, "secrets.json");
    writeFileSync(secrets, JSON.stringify(Object.fromEntries(names.map((name) => [name, process.env[name]]))), {
      mode: 0o600,
    });
    await run(["node_modules/wrangler/bin/wrangler.js", "deploy", "--minify", "--secrets-file", secrets]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

deploy().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
