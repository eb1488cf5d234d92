/** The real stack as processes, with a bad wire to its database and a bad vendor, that can be killed in parts or whole. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import * as z from "zod";
import { freePort, isRunning, makeDataDir, type Stack, startStack } from "../../shared/testing/node/stack.ts";
import { type DatabaseFaults, FAULTS_FOLDER, NO_FAULTS, portFile, setDatabaseFaults } from "./database-faults.ts";
import { type FaultyModel, startFaultyModel } from "./faulty-model.ts";

export type Victim = "workerd" | "database" | "stack";

export interface Recovery {
  victim: Victim;
  /** From the kill until the Worker, or the database where that was killed, answered again. */
  ms: number;
}

const Passwords = z.object({ owner: z.string(), app_user: z.string(), auth_user: z.string() });
const Rows = z.object({
  fields: z.array(z.object({ name: z.string() })),
  rows: z.array(z.array(z.string().nullable())),
});
const Batch = z.object({ results: z.array(Rows) });

export interface Statement {
  query: string;
  params?: (string | null)[];
}
export type Row = Record<string, string | null>;

/** What Postgres said against a statement. */
export class SqlRefusal extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

function sigkill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself in this moment.
  }
}

const RECOVERY_LIMIT_MS = 120_000;

export class World {
  readonly #folder = mkdtempSync(join(tmpdir(), "mosaic-chaos-"));
  readonly #root: string | undefined;
  #dataDir = "";
  #port = 0;
  #stack: Stack | null = null;
  #model: FaultyModel | null = null;
  readonly recoveries: Recovery[] = [];
  /** What the stacks printed before they were killed. */
  #output = "";

  /** @param root - the checkout whose stack runs; default: this one */
  constructor(root?: string) {
    this.#root = root;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get folder(): string {
    return this.#folder;
  }

  get model(): FaultyModel {
    if (!this.#model) throw new Error("The world was not started.");
    return this.#model;
  }

  output(): string {
    return this.#output + (this.#stack?.output() ?? "");
  }

  async start(seed: string): Promise<void> {
    this.#model = await startFaultyModel(seed);
    this.#dataDir = await makeDataDir(this.#root);
    this.#port = await freePort();
    this.setDatabaseFaults(NO_FAULTS);
    await this.#startStack();
  }

  async #startStack(): Promise<void> {
    const wire = pathToFileURL(join(import.meta.dirname, "faulty-wire.ts")).href;
    this.#stack = await startStack({
      ...(this.#root !== undefined && { root: this.#root }),
      dataDir: this.#dataDir,
      port: this.#port,
      readyWithinMs: RECOVERY_LIMIT_MS,
      env: {
        ANTHROPIC_BASE_URL: this.model.url,
        ANTHROPIC_API_KEY: "test-key",
        NODE_OPTIONS: `--import ${wire}`,
        [FAULTS_FOLDER]: this.#folder,
      },
    });
  }

  setDatabaseFaults(faults: DatabaseFaults): void {
    setDatabaseFaults(this.#folder, faults);
  }

  /** SIGKILL, and waits until the stack answers again. */
  async kill(victim: Victim): Promise<Recovery> {
    const stack = this.#running();
    const startedAt = performance.now();
    if (victim === "stack") {
      const pids = Object.values(stack.pids());
      for (const pid of pids) sigkill(pid);
      while (pids.some(isRunning)) await sleep(5);
      this.#output += stack.output();
      // A stack that starts without its database says so and ends; being away is for one that runs.
      this.setDatabaseFaults(NO_FAULTS);
      await this.#startStack();
    } else {
      const pid = await this.#pidOf(victim);
      sigkill(pid);
      while (isRunning(pid)) await sleep(5);
    }
    await this.answers(victim);
    const recovery = { victim, ms: Math.round(performance.now() - startedAt) };
    this.recoveries.push(recovery);
    return recovery;
  }

  /** Waits for one that is just being started again. */
  async #pidOf(victim: Exclude<Victim, "stack">): Promise<number> {
    const deadline = Date.now() + RECOVERY_LIMIT_MS;
    while (Date.now() < deadline) {
      const pid = this.#running().pids()[victim];
      if (pid !== undefined) return pid;
      await sleep(20);
    }
    throw new Error(`The ${victim} does not run any more:\n${this.output().slice(-4_000)}`);
  }

  /** Waits until the stack answers; after a kill of the database, until that does. */
  async answers(after: Victim): Promise<void> {
    const deadline = Date.now() + RECOVERY_LIMIT_MS;
    while (Date.now() < deadline) {
      try {
        if (after === "database") await this.sql("owner", [{ query: "select 1" }]);
        const answer = await fetch(`${this.url}/health/live`, { signal: AbortSignal.timeout(2_000) });
        await answer.body?.cancel();
        if (answer.ok) return;
      } catch {
        // Not yet.
      }
      await sleep(10);
    }
    throw new Error(`The stack did not come back after the ${after} was killed:\n${this.output().slice(-4_000)}`);
  }

  /** Runs statements as one transaction, past the faults for the owner. @throws SqlRefusal */
  async sql(role: "owner" | "app_user", statements: readonly Statement[]): Promise<Row[][]> {
    const passwords = Passwords.parse(
      JSON.parse(readFileSync(join(this.#dataDir, "database", "passwords.json"), "utf8")),
    );
    const port = Number(readFileSync(portFile(this.#folder), "utf8"));
    const response = await fetch(`http://127.0.0.1:${port}/sql`, {
      method: "POST",
      headers: { "neon-connection-string": `postgresql://${role}:${passwords[role]}@localhost/mosaic` },
      body: JSON.stringify({ queries: statements.map(({ query, params = [] }) => ({ query, params })) }),
      signal: AbortSignal.timeout(30_000),
    });
    const text = await response.text();
    if (response.status === 400) {
      const { code = "", message } = z
        .object({ code: z.string().optional(), message: z.string() })
        .parse(JSON.parse(text));
      throw new SqlRefusal(code, message);
    }
    if (!response.ok) throw new Error(`The database answers ${response.status}: ${text}`);
    return Batch.parse(JSON.parse(text)).results.map(({ fields, rows }) =>
      rows.map((row) => Object.fromEntries(fields.map(({ name }, index) => [name, row[index] ?? null]))),
    );
  }

  async stop(): Promise<void> {
    await this.#stack?.stop();
    await this.#model?.close();
    for (const folder of [this.#folder, this.#dataDir]) if (folder) rmSync(folder, { recursive: true, force: true });
  }

  #running(): Stack {
    if (!this.#stack) throw new Error("The world was not started.");
    return this.#stack;
  }
}
