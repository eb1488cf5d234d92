import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { v7 } from "uuid";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { startDatabase } from "../../selfhost/database/start-database.ts";
import { connect } from "../../shared/adapters/postgres/database.ts";
import { makeDataDir, type Stack, startStack } from "../../shared/testing/node/stack.ts";

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

/** Asks the stack's own database as its owner, while the stack does not run. */
async function query(text: string, parameters: unknown[]): Promise<Record<string, unknown>[]> {
  const database = await startDatabase({ dataDir: join(dataDir, "database"), port: 0 });
  try {
    return await connect({ connectionString: database.ownerUrl, endpoint: database.endpoint }).query(text, parameters);
  } finally {
    await database.stop();
  }
}

/** Loaded before the runner, and there alone: its clock stands one second before the hour's 17th minute. */
const CLOCK = `data:text/javascript,if (process.argv[1]?.endsWith("selfhost/start.ts")) {
  const hour = Math.floor(Date.now() / 3600000) * 3600000;
  Date.now = () => hour + 17 * 60000 - 1000;
}`;

it("the hour's timer, the queue and its consumer remove what has expired, and nothing else", async () => {
  const [gone, there] = [v7(), v7()];
  await query(
    `insert into auth.verification (id, identifier, value, expires_at)
     values ($1, 'gone', 'x', now() - interval '2 hours'), ($2, 'there', 'x', now() + interval '2 hours')`,
    [gone, there],
  );
  const preload = encodeURI(CLOCK.replaceAll(/\s+/g, " "));
  stack = await startStack({ dataDir, env: { NODE_OPTIONS: `--import ${preload}` } });
  const deadline = performance.now() + 60_000;
  while (!stack.output().includes("Maintenance: removed 1 expired rows.")) {
    if (performance.now() > deadline) throw new Error(`Nothing was swept.\n${stack.output()}`);
    await sleep(50);
  }
  expect(await stack.stop()).toBe(0);
  stack = undefined;
  const left = await query("select id from auth.verification where id in ($1, $2)", [gone, there]);
  expect(left).toEqual([{ id: there }]);
});
