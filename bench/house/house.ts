/** The stack for measurements: the parts of `npm start`, each in the hand of the script, with a scripted vendor. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { root as checkout } from "../../scripts/build-inputs.ts";
import { migrateDatabase } from "../../selfhost/migrate-database.ts";
import { readOrMakeSecrets } from "../../selfhost/stack-secrets.ts";
import { workerBindings } from "../../selfhost/worker-environment.ts";
import { WorkerRuntime } from "../../selfhost/worker-runtime.ts";
import { freePort, isRunning } from "../../shared/testing/node/stack.ts";
import { type FakeModelServer, startFakeModelServer } from "../../shared/testing/providers/fake-model-server.ts";
import { buildHouse } from "./build-house.ts";
import { DatabaseEndpoint } from "./database-endpoint.ts";

const Counts = z.object({ constructed: z.int(), alarms: z.int(), bareConstructed: z.int() });

/** What a measurement itself brings about. */
const EXPECTED = /Postgres is away/;

export interface House {
  url: string;
  models: FakeModelServer;
  /** The database's own address, past row-level security. */
  database: { ownerUrl: string; endpoint: string };
  readonly workerdPid: number;
  isRunning(): boolean;
  /** What the Worker logged of things that went wrong. */
  readonly failures: readonly string[];
  stopDatabase(): Promise<void>;
  /** At the same address as before. */
  startDatabase(): Promise<void>;
  /** How often objects were made and woken by alarms since the start. */
  counts(): Promise<z.infer<typeof Counts>>;
  /** How often the object of one conversation was made since the start. */
  livesOf(conversationId: string): Promise<number>;
  /** Collects the garbage of the Worker's isolate, so that memory shows what is kept. */
  collectGarbage(): Promise<void>;
  stop(): Promise<void>;
}

/** `env` is added to the operator's environment. */
export async function startHouse(env: Record<string, string> = {}): Promise<House> {
  // Miniflare hands this to workerd. Exposing the collector changes nothing until it is called.
  process.env.MINIFLARE_WORKERD_V8_FLAGS = "--expose-gc";
  const root = buildHouse();
  const dataDir = mkdtempSync(join(tmpdir(), "mosaic-bench-"));
  const secrets = readOrMakeSecrets(dataDir, {});
  const endpoint = new DatabaseEndpoint(join(dataDir, "database"));
  const [database, models, port] = await Promise.all([endpoint.start(), startFakeModelServer(), freePort()]);
  await migrateDatabase(database, join(checkout, "migrations"));
  const url = `http://localhost:${port}`;
  let workerdPid = 0;
  const failures: string[] = [];
  const worker = new WorkerRuntime({
    host: "127.0.0.1",
    port,
    root,
    dataDir,
    bindings: workerBindings({
      env: { ANTHROPIC_BASE_URL: models.url, ANTHROPIC_API_KEY: "bench", ...env },
      publicUrl: url,
      ollamaBaseUrl: "off",
      isPublic: false,
      secrets,
      database,
    }),
    receiveMail: async () => new Response(null, { status: 204 }),
    print: (line) => {
      if (EXPECTED.test(line)) return;
      failures.push(line);
      console.error(line.slice(0, 2_000));
    },
    onStarted: (pid) => {
      workerdPid = pid;
    },
  });
  await worker.start();
  const stop = async (): Promise<void> => {
    await worker.stop();
    await endpoint.stop();
    await models.close();
    rmSync(dataDir, { recursive: true, force: true });
  };
  // Whoever interrupts a measurement leaves no process behind.
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => void stop().then(() => process.exit(1)));
  const ask = async (path: string): Promise<unknown> => (await fetch(`${url}/api/bench/${path}`)).json();
  return {
    url,
    models,
    database: { ownerUrl: database.ownerUrl, endpoint: database.endpoint },
    get workerdPid() {
      return workerdPid;
    },
    isRunning: () => isRunning(workerdPid),
    failures,
    stopDatabase: () => endpoint.stop(),
    startDatabase: async () => void (await endpoint.start()),
    counts: async () => Counts.parse(await ask("counts")),
    livesOf: async (conversationId) => z.int().parse(await ask(`lives/${conversationId}`)),
    collectGarbage: async () => void (await ask("gc")),
    stop,
  };
}
