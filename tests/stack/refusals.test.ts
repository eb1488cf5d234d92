import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { freePort, makeDataDir, startStack, startStackAndFail } from "../../shared/testing/node/stack.ts";

// A start takes seconds here, and a machine that builds and tests at once takes several times as long.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "mosaic-refusal-"));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

/** Runs one statement in a stopped stack's database. */
async function asOwner(folder: string, query: string): Promise<void> {
  const main = join(import.meta.dirname, "..", "..", "selfhost", "database", "main.ts");
  const child = spawn(process.execPath, [main, "--data-dir", folder], { stdio: ["pipe", "pipe", "inherit"] });
  const [line] = await once(createInterface(child.stdout), "line");
  const { port, ownerUrl } = z.object({ port: z.number(), ownerUrl: z.string() }).parse(JSON.parse(String(line)));
  const headers = { "neon-connection-string": ownerUrl, "neon-raw-text-output": "true", "neon-array-mode": "true" };
  const answer = await fetch(`http://127.0.0.1:${port}/sql`, {
    method: "POST",
    headers,
    body: JSON.stringify({ query, params: [] }),
  });
  expect(answer.status, await answer.text()).toBe(200);
  child.stdin.end();
  await once(child, "exit");
}

const lastLine = (output: string): string => output.trimEnd().split("\n").at(-1) ?? "";

describe("a stack that cannot start says why in one sentence and ends with code 1", () => {
  it("when the database cannot be reached, without its password", async () => {
    const env = { DATABASE_URL: `postgresql://mosaic:top-secret@127.0.0.1:${await freePort()}/mosaic` };
    const ended = await startStackAndFail({ dataDir, env });
    expect(ended.code).toBe(1);
    expect(lastLine(ended.output)).toContain("cannot be reached");
    expect(lastLine(ended.output)).toContain("Check DATABASE_URL.");
    expect(ended.output).not.toContain("top-secret");
    expect(ended.output).not.toContain("    at ");
  });

  it("when a migration fails, and goes on once its cause is gone", async () => {
    const env = {
      BETTER_AUTH_SECRET: "x".repeat(40),
      CREDENTIALS_KEYS: `k1:${Buffer.alloc(32, 7).toString("base64")}`,
    };
    await asOwner(join(dataDir, "database"), "create table conversations (in_the_way int)");
    const ended = await startStackAndFail({ dataDir, env });
    expect(ended.code).toBe(1);
    expect(lastLine(ended.output)).toMatch(
      /^The migration \d{4}_\S+\.sql failed and nothing of it was applied: .*already exists/,
    );
    expect(ended.output).not.toContain("    at ");
    await asOwner(join(dataDir, "database"), "drop table conversations");
    const stack = await startStack({ dataDir, env });
    expect(await stack.stop()).toBe(0);
  });

  it("when the secrets are gone but what was made with them is there", async () => {
    rmSync(dataDir, { recursive: true });
    dataDir = await makeDataDir();
    rmSync(join(dataDir, "secrets.json"));
    const ended = await startStackAndFail({ dataDir });
    expect(ended.code).toBe(1);
    expect(lastLine(ended.output)).toContain("secrets.json is missing");
    writeFileSync(join(dataDir, "secrets.json"), "{");
    const damaged = await startStackAndFail({ dataDir });
    expect(damaged.code).toBe(1);
    expect(lastLine(damaged.output)).toContain("is damaged");
  });

  it.each([
    [{ PORT: "http" }, "PORT must be a number"],
    [{ PORT: "70000" }, "PORT"],
    [{ PUBLIC_URL: "chat.example.org" }, "PUBLIC_URL must be an address"],
    [{ DATABASE_URL: "mysql://x" }, "DATABASE_URL must have the form"],
    [{ OLLAMA_BASE_URL: "yes" }, "OLLAMA_BASE_URL must be an address"],
    [{ HOST: "192.0.2.1" }, "is not an address of this machine"],
    [{ SIGN_UP: "maybe" }, "SIGN_UP"],
    [{ CREDENTIALS_KEYS: "k1:no-key" }, "CREDENTIALS_KEYS entry 1 is not base64 after the colon."],
  ])("when the environment is wrong: %o", async (env, sentence) => {
    const ended = await startStackAndFail({ dataDir, env });
    expect(ended.code).toBe(1);
    expect(lastLine(ended.output)).toContain(sentence);
    expect(ended.output).not.toContain("    at ");
  });
});

describe("the Worker's environment", () => {
  it("has a setup token, and says it, only where others can reach the stack", async () => {
    const stack = await startStack({ env: { HOST: "0.0.0.0" } });
    expect(stack.output()).toMatch(/^The first sign-up needs this setup token: \S{16,}$/m);
    await stack.stop();
  });

  it("has one behind a proxy on the same machine, too", async () => {
    const stack = await startStack({ env: { PUBLIC_URL: "https://chat.example.org" } });
    expect(stack.output()).toContain("setup token");
    await stack.stop();
  });
});
