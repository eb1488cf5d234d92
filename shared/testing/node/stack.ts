/** The real stack for tests and measurements: `node selfhost/start.ts` on a port and a data folder of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const checkout = join(import.meta.dirname, "..", "..", "..");

export type StackProcess = "runner" | "workerd" | "database";

export interface StackOptions {
  /** Added to a small environment of its own; nothing of the caller's keys gets in. */
  env?: Record<string, string>;
  /** Default: one of `makeDataDir`, removed by `stop`. */
  dataDir?: string;
  /** Default: any free one. */
  port?: number;
  /** Milliseconds until the ready line must be there. Default 60,000. */
  readyWithinMs?: number;
  /** The checkout whose stack is started. Default: this one. */
  root?: string;
}

export interface Stack {
  url: string;
  dataDir: string;
  /** The numbers of the processes that run now. */
  pids(): Partial<Record<StackProcess, number>>;
  /** SIGKILL, and waits until it is gone. The runner's children are left to their fate. */
  kill9(which: StackProcess): Promise<void>;
  /** SIGTERM, and waits. @returns the exit code. Removes the data folder when it was made here. */
  stop(): Promise<number | null>;
  /** Everything printed so far. */
  output(): string;
}

/** How a start that did not succeed ended. */
export interface EndedStack {
  code: number | null;
  output: string;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (typeof address !== "object" || address === null) throw new Error("No port is free.");
  return address.port;
}

export function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2)[0] !== "Z";
  } catch {
    return false;
  }
}

/** The processes below `parent` by what they run. Linux only, as the tests are. */
function childrenOf(parent: number): Partial<Record<StackProcess, number>> {
  const found: Partial<Record<StackProcess, number>> = {};
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      if (Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) !== parent) continue;
      const command = readFileSync(`/proc/${name}/cmdline`, "utf8");
      if (command.includes("selfhost/database/main.ts")) found.database = Number(name);
      else if (/\/workerd\0/.test(command)) found.workerd = Number(name);
    } catch {
      // It ended while we looked.
    }
  }
  return found;
}

class Runner {
  readonly child: ChildProcess;
  #output = "";

  constructor(port: number, dataDir: string, { env = {}, root = checkout }: StackOptions) {
    const { PATH = "", HOME = "", NODE_V8_COVERAGE } = process.env;
    this.child = spawn(process.execPath, [join(root, "selfhost", "start.ts")], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        PATH,
        HOME,
        ...(NODE_V8_COVERAGE && { NODE_V8_COVERAGE }),
        OLLAMA_BASE_URL: "off",
        PORT: String(port),
        MOSAIC_DATA_DIR: dataDir,
        ...env,
      },
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#output += text;
      });
    }
  }

  output(): string {
    return this.#output;
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  async ended(): Promise<number | null> {
    if (!this.hasEnded) await once(this.child, "close");
    return this.child.exitCode;
  }
}

/** What a first start's data folder is made from; another hash, another template. */
function templateName(root: string): string {
  const hash = createHash("sha256");
  for (const folder of ["migrations", "selfhost/database"]) {
    for (const name of readdirSync(join(root, folder)).sort()) {
      if (/\.(ts|sql)$/.test(name)) hash.update(name).update(readFileSync(join(root, folder, name)));
    }
  }
  return `stack-${hash.digest("hex").slice(0, 16)}`;
}

/**
 * A temporary data folder as a first start leaves it, migrated and stopped: most tests are not about the first start,
 * which takes seconds. Made once and copied from `.cache/`. The caller removes it.
 */
export async function makeDataDir(root = checkout): Promise<string> {
  const template = join(root, ".cache", templateName(root));
  if (!existsSync(template)) {
    const fresh = mkdtempSync(join(tmpdir(), "mosaic-template-"));
    const stack = await startStack({ dataDir: fresh, root });
    await stack.stop();
    mkdirSync(join(root, ".cache"), { recursive: true });
    // Beside it first: whoever looks sees all of it or nothing.
    const beside = `${template}.${process.pid}`;
    cpSync(fresh, beside, { recursive: true });
    if (!existsSync(template)) renameSync(beside, template);
    rmSync(beside, { recursive: true, force: true });
    rmSync(fresh, { recursive: true, force: true });
  }
  const dataDir = mkdtempSync(join(tmpdir(), "mosaic-stack-"));
  cpSync(template, dataDir, { recursive: true });
  return dataDir;
}

/** @throws Error with the stack's own output when it ends instead, or is not ready in time */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const port = options.port ?? (await freePort());
  const dataDir = options.dataDir ?? (await makeDataDir(options.root));
  const runner = new Runner(port, dataDir, options);
  const removeFolder = (): void => {
    if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true });
  };
  const deadline = Date.now() + (options.readyWithinMs ?? 60_000);
  while (!/^Mosaic is ready at /m.test(runner.output())) {
    if (runner.hasEnded || Date.now() > deadline) {
      runner.child.kill("SIGKILL");
      removeFolder();
      throw new Error(`The stack did not become ready:\n${runner.output()}`);
    }
    await sleep(20);
  }
  const pids = (): Partial<Record<StackProcess, number>> => {
    const { pid } = runner.child;
    return pid === undefined || runner.hasEnded ? {} : { runner: pid, ...childrenOf(pid) };
  };
  return {
    url: `http://localhost:${port}`,
    dataDir,
    pids,
    output: () => runner.output(),
    kill9: async (which) => {
      const pid = pids()[which];
      if (pid === undefined) throw new Error(`The stack's ${which} does not run.`);
      process.kill(pid, "SIGKILL");
      while (isRunning(pid)) await sleep(5);
    },
    stop: async () => {
      runner.child.kill("SIGTERM");
      const code = await runner.ended();
      removeFolder();
      return code;
    },
  };
}

/** For starts that must fail: waits until the process has ended by itself. */
export async function startStackAndFail(options: StackOptions = {}): Promise<EndedStack> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), "mosaic-stack-"));
  const runner = new Runner(options.port ?? (await freePort()), dataDir, options);
  const limit = setTimeout(() => runner.child.kill("SIGKILL"), options.readyWithinMs ?? 60_000);
  const code = await runner.ended();
  clearTimeout(limit);
  if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true });
  return { code, output: runner.output() };
}
