/** The embedded database as a process of its own: one long query must not stop the runner, and its death must not end it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { messageOf, StartProblem } from "./start-problem.ts";

const Report = z.discriminatedUnion("ready", [
  z.object({ ready: z.literal(true), port: z.int(), appUrl: z.string(), authUrl: z.string(), ownerUrl: z.string() }),
  z.object({ ready: z.literal(false), error: z.string() }),
]);
export type DatabaseAddress = Extract<z.infer<typeof Report>, { ready: true }>;

const main = join(import.meta.dirname, "database", "main.ts");
const START_LIMIT_MS = 60_000;
const BACKOFF_MS = { first: 250, most: 15_000 };

export interface DatabaseDeps {
  env: NodeJS.ProcessEnv;
  onStarted(pid: number): void;
  print(line: string): void;
}

export class DatabaseProcess {
  readonly #dataDir: string;
  readonly #deps: DatabaseDeps;
  #child: ChildProcess | undefined;
  #isStopping = false;

  constructor(dataDir: string, deps: DatabaseDeps) {
    this.#dataDir = dataDir;
    this.#deps = deps;
  }

  /** @throws StartProblem with the database's own sentence. */
  async start(): Promise<DatabaseAddress> {
    const address = await this.#launch(0);
    void this.#keepAlive(address.port);
    return address;
  }

  async #launch(port: number): Promise<DatabaseAddress> {
    // In a group of its own, so that Ctrl+C reaches the Worker first and its last writes still arrive.
    // It ends by itself when its standard input closes, which the death of this process does too.
    const child = spawn(process.execPath, [main, "--data-dir", this.#dataDir, "--port", String(port)], {
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
      env: this.#deps.env,
    });
    this.#child = child;
    if (child.pid !== undefined) this.#deps.onStarted(child.pid);
    child.stdin.on("error", () => undefined);
    createInterface(child.stderr).on("line", (line) => this.#deps.print(`database: ${line}`));
    const limit = setTimeout(() => child.kill("SIGKILL"), START_LIMIT_MS);
    try {
      const report = await firstReport(child);
      if (!report.ready) throw new StartProblem(report.error);
      return report;
    } catch (error) {
      child.kill("SIGKILL");
      throw error;
    } finally {
      clearTimeout(limit);
    }
  }

  /** The Worker knows the address, so a restarted database takes the same port. */
  async #keepAlive(port: number): Promise<void> {
    let backoffMs = BACKOFF_MS.first;
    while (!this.#isStopping) {
      const child = this.#child;
      if (child && isRunning(child)) await once(child, "exit");
      if (this.#isStopping) return;
      this.#deps.print(
        `The database ended unexpectedly (${child?.signalCode ?? `code ${child?.exitCode}`}); starting it again.`,
      );
      await sleep(backoffMs);
      if (this.#isStopping) return;
      try {
        const startedAt = Date.now();
        await this.#launch(port);
        this.#deps.print(`The database is back after ${Date.now() - startedAt} ms.`);
        backoffMs = BACKOFF_MS.first;
      } catch (error) {
        backoffMs = Math.min(backoffMs * 2, BACKOFF_MS.most);
        this.#deps.print(`The database did not start again: ${messageOf(error)} Next try in ${backoffMs / 1000} s.`);
      }
    }
  }

  /** Asks it to end and insists after `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    this.#isStopping = true;
    const child = this.#child;
    if (!child || !isRunning(child)) return;
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    const insist = setTimeout(() => child.kill("SIGKILL"), graceMs);
    await ended;
    clearTimeout(insist);
  }
}

const isRunning = (child: ChildProcess): boolean =>
  child.exitCode === null && child.signalCode === null && child.pid !== undefined;

function firstReport(child: ChildProcess): Promise<z.infer<typeof Report>> {
  const { stdout } = child;
  return new Promise((resolve, reject) => {
    child.once("error", (error) => reject(new StartProblem(`The database process did not start: ${error.message}.`)));
    child.once("close", () =>
      reject(
        new StartProblem(
          `The database process ended before it was ready (${child.signalCode ?? `code ${child.exitCode}`}).`,
        ),
      ),
    );
    if (!stdout) return;
    createInterface(stdout).once("line", (line) => {
      try {
        resolve(Report.parse(JSON.parse(line)));
      } catch {
        reject(new StartProblem("The database process did not say whether it is ready; the lines above may tell why."));
      }
    });
  });
}
