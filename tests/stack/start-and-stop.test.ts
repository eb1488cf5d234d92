import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { isRunning, type Stack, startStack } from "../../shared/testing/node/stack.ts";

// A start takes seconds here, and a machine that builds and tests at once takes several times as long.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

describe("a started stack", () => {
  const dataDir = mkdtempSync(join(tmpdir(), "mosaic-start-"));
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({ dataDir });
  });
  afterAll(async () => {
    await stack.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it("says one line per step, and last that it is ready", () => {
    const lines = stack.output().trimEnd().split("\n");
    const steps = [
      "Data folder",
      "Secrets",
      "Database",
      "Migrations",
      "Build",
      "Ollama",
      "Models: none configured; the built-in guide answers.",
      "Workers runtime",
      "Mosaic is ready at",
    ];
    expect(lines.map((line) => steps.find((step) => line.startsWith(step)))).toEqual(steps);
    expect(lines.at(-1)).toBe(`Mosaic is ready at ${stack.url}`);
  });

  it("answers its health without sign-in", async () => {
    const ready = await fetch(`${stack.url}/health/ready`);
    expect(ready.status).toBe(200);
    expect(await ready.json()).toMatchObject({ status: "ready" });
    expect(ready.headers.get("x-request-id")).toBeTruthy();
    expect((await fetch(`${stack.url}/health/live`)).status).toBe(200);
  });

  it("lets nobody but its owner read the data folder and the secrets", () => {
    expect(statSync(dataDir).mode & 0o777).toBe(0o700);
    expect(statSync(join(dataDir, "secrets.json")).mode & 0o777).toBe(0o600);
  });

  it("never prints a secret", () => {
    const secrets = z
      .record(z.string(), z.string())
      .parse(JSON.parse(readFileSync(join(dataDir, "secrets.json"), "utf8")));
    expect(Object.keys(secrets)).toHaveLength(3);
    for (const secret of Object.values(secrets)) expect(stack.output()).not.toContain(secret);
  });

  it("serves the page with its policy, also for an address inside the page", async () => {
    for (const path of ["/", "/conversations/0190f2d2-0000-7000-8000-000000000000", "/device"]) {
      const page = await fetch(`${stack.url}${path}`);
      expect(page.status, path).toBe(200);
      expect(page.headers.get("content-type"), path).toContain("text/html");
      const policy = page.headers.get("content-security-policy") ?? "";
      for (const rule of [
        "default-src 'self'",
        "script-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "object-src 'none'",
      ]) {
        expect(policy.split("; "), path).toContain(rule);
      }
      expect(page.headers.get("x-content-type-options"), path).toBe("nosniff");
      expect(page.headers.get("referrer-policy"), path).toBe("no-referrer");
      expect(page.headers.get("permissions-policy"), path).toContain("camera=()");
      expect(await page.text(), path).toContain("<!doctype html>");
    }
  });

  it("lets the Worker answer its own paths first, not the page", async () => {
    for (const path of [
      "/api/no-such-route",
      "/v1/no-such-route",
      "/health/no-such-route",
      "/hooks/none/none",
      "/.well-known/none",
    ]) {
      const answer = await fetch(`${stack.url}${path}`);
      expect(answer.status, path).not.toBe(200);
      expect(await answer.text(), path).not.toContain("<!doctype html>");
    }
  });

  it("serves what the API's documentation page needs", async () => {
    for (const name of ["swagger-ui.css", "swagger-ui-bundle.js"]) {
      const asset = await fetch(`${stack.url}/docs-assets/${name}`);
      expect(asset.headers.get("content-type"), name).toMatch(/css|javascript/);
      await asset.body?.cancel();
    }
  });

  it("offers nobody Miniflare's own storage browser or triggers", async () => {
    for (const path of [
      "/cdn-cgi/local/explorer",
      "/cdn-cgi/local/explorer/api/workers",
      "/cdn-cgi/local/scheduled",
      "/cdn-cgi/explorer",
    ]) {
      const answer = await fetch(`${stack.url}${path}`);
      const text = await answer.text();
      expect(
        answer.status === 404 || text.includes("<title>Mosaic"),
        `${path}: ${answer.status} ${text.slice(0, 200)}`,
      ).toBe(true);
    }
  });

  it("stops within 5 s, leaves no process, and starts again with the same secrets", async () => {
    const secrets = readFileSync(join(dataDir, "secrets.json"), "utf8");
    const pids = Object.values(stack.pids());
    expect(pids).toHaveLength(3);
    const stopping = performance.now();
    expect(await stack.stop()).toBe(0);
    expect(stack.output()).toMatch(/\nStopping\.\nStopped\.\n$/);
    expect(performance.now() - stopping).toBeLessThan(5_000);
    expect(pids.filter(isRunning)).toEqual([]);
    stack = await startStack({ dataDir });
    expect(readFileSync(join(dataDir, "secrets.json"), "utf8")).toBe(secrets);
    expect(stack.output()).toContain("Secrets: from the data folder.");
    expect(stack.output()).toContain("Migrations: up to date.");
  });
});
