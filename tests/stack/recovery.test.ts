import { once } from "node:events";
import { existsSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  freePort,
  isRunning,
  makeDataDir,
  type Stack,
  type StackProcess,
  startStack,
  startStackAndFail,
} from "../../shared/testing/node/stack.ts";

// A start takes seconds here, and a machine that builds and tests at once takes several times as long.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

let dataDir: string;
let stack: Stack | undefined;
beforeEach(async () => {
  dataDir = await makeDataDir();
});
afterEach(async () => {
  await stack?.stop();
  stack = undefined;
  rmSync(dataDir, { recursive: true, force: true });
});

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(2_000) })).status === 200;
  } catch {
    return false;
  }
}

async function until(what: () => boolean | Promise<boolean>, withinMs: number): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await what())) {
    if (Date.now() > deadline) throw new Error(`Not within ${withinMs} ms.\n${stack?.output()}`);
    await sleep(50);
  }
}

describe("after SIGKILL", () => {
  it("of the runner, the next start ends its orphan and takes the same port", async () => {
    const port = await freePort();
    stack = await startStack({ dataDir, port });
    const { workerd = 0 } = stack.pids();
    await stack.kill9("runner");
    expect(isRunning(workerd)).toBe(true);
    stack = await startStack({ dataDir, port });
    expect(isRunning(workerd)).toBe(false);
    expect(stack.output()).toContain(`workerd ${workerd}`);
    expect(await isReady(stack.url)).toBe(true);
  });

  it("of the runner, its orphan is found even when its number was never written down", async () => {
    const port = await freePort();
    stack = await startStack({ dataDir, port });
    const { workerd = 0 } = stack.pids();
    await stack.kill9("runner");
    rmSync(join(dataDir, "processes.json"));
    stack = await startStack({ dataDir, port });
    expect(isRunning(workerd)).toBe(false);
  });

  it.each<StackProcess>(["workerd", "database"])("of its %s, a running stack heals by itself", async (which) => {
    stack = await startStack({ dataDir });
    const { url, pids } = stack;
    const before = pids()[which];
    await stack.kill9(which);
    await until(() => pids()[which] !== undefined && pids()[which] !== before, 15_000);
    await until(() => isReady(url), 15_000);
    await until(() => stack?.output().includes("ended unexpectedly") ?? false, 5_000);
    expect(await stack.stop()).toBe(0);
    expect(Object.values(pids())).toEqual([]);
  });

  it("of all three at once, the next start recovers", async () => {
    stack = await startStack({ dataDir });
    const pids = Object.values(stack.pids());
    expect(pids).toHaveLength(3);
    for (const pid of pids) process.kill(pid, "SIGKILL");
    stack = await startStack({ dataDir });
    expect(await isReady(stack.url)).toBe(true);
  });
});

describe("what belongs to somebody else", () => {
  it("a program on the port is left alone: one sentence, and nothing starts", async () => {
    const foreign = createServer((_, response) => response.end("mine"));
    foreign.listen(0, "127.0.0.1");
    await once(foreign, "listening");
    const address = foreign.address();
    const port = typeof address === "object" && address ? address.port : 0;
    rmSync(dataDir, { recursive: true });
    const ended = await startStackAndFail({ dataDir, port });
    expect(ended.code).toBe(1);
    expect(ended.output.trimEnd().split("\n").at(-1)).toBe(
      `Port ${port} on 127.0.0.1 is in use by another program. Stop that program, or set PORT to a free port.`,
    );
    expect(existsSync(join(dataDir, "database"))).toBe(false);
    expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe("mine");
    foreign.close();
  });

  it("a running stack keeps its folder: the second start names it and ends, the first goes on", async () => {
    stack = await startStack({ dataDir });
    const ended = await startStackAndFail({ dataDir });
    expect(ended.code).toBe(1);
    expect(ended.output).toContain(`is in use by process ${stack.pids().runner}`);
    expect(ended.output).toContain("MOSAIC_DATA_DIR");
    expect(ended.output.trimEnd().split("\n")).toHaveLength(1);
    expect(await isReady(stack.url)).toBe(true);
  });
});
