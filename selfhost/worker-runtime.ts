/** The built Worker in workerd, through the Miniflare API: objects, queues and assets persist below the data folder. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare, type V4MiniflareOptions } from "miniflare";
import * as z from "zod";
import { fireJob } from "./fire-job.ts";
import { PROCESS_MARK } from "./own-processes.ts";
import { childrenOf } from "./process-identity.ts";
import { isRuntimeNoise } from "./runtime-log.ts";
import { StartProblem } from "./start-problem.ts";
import { TimerWorker } from "./timer-worker.ts";

const BuiltOptions = z.looseObject({
  cronTriggers: z.array(z.string()).default([]),
  assets: z.looseObject({ directory: z.string() }).optional(),
});

const moduleTypes: Record<string, string> = {
  js: "ESModule",
  mjs: "ESModule",
  wasm: "CompiledWasm",
  txt: "Text",
  html: "Text",
  sql: "Text",
  bin: "Data",
};

export interface WorkerRuntimeOptions {
  host: string;
  port: number;
  /** The checkout, with dist/ in it. */
  root: string;
  dataDir: string;
  bindings: Record<string, string>;
  receiveMail(request: Request): Promise<Response>;
  print(line: string): void;
  onStarted(pid: number): void;
}

/** In the bundle's folder every file but maps and notes is a module; their kinds are what wrangler itself takes them for. */
function readModules(folder: string): { type: string; path: string; contents: string | Uint8Array }[] {
  const names = readdirSync(folder).filter((name) => !/\.map$|\.md$/.test(name));
  const modules = names.map((name) => {
    const type = moduleTypes[name.split(".").at(-1) ?? ""] ?? "Data";
    const contents = readFileSync(join(folder, name));
    return {
      type,
      path: join(folder, name),
      contents: type === "ESModule" || type === "Text" ? contents.toString() : contents,
    };
  });
  // The first module is the entry.
  return modules.sort((a, b) => Number(b.path.endsWith("index.js")) - Number(a.path.endsWith("index.js")));
}

/** Miniflare ends the process at the first signal, before the rest of the stack has stopped; the runner does that itself. */
function withoutSignalHandlers<Made>(make: () => Made): Made {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const before = new Set(signals.flatMap((signal) => process.listeners(signal)));
  const made = make();
  for (const signal of signals) {
    for (const listener of process.listeners(signal)) if (!before.has(listener)) process.off(signal, listener);
  }
  return made;
}

/**
 * The Worker's ways to addresses that users save: workerd itself looks where a name leads, which no guard in the Worker
 * can. The way to private addresses is there only where the operator allows them.
 */
function networks({ ALLOW_PRIVATE_NETWORK: allowed }: Record<string, string>): object {
  const isAllowed = allowed === "1" || allowed === "true";
  return {
    PUBLIC_NETWORK: { network: { allow: ["public"] } },
    ...(isAllowed && { PRIVATE_NETWORK: { network: { allow: ["public", "private"] } } }),
  };
}

export class WorkerRuntime {
  readonly #options: WorkerRuntimeOptions;
  readonly crons: readonly string[];
  readonly #miniflare: Miniflare;
  readonly #timer = new TimerWorker();

  constructor(options: WorkerRuntimeOptions) {
    this.#options = options;
    const dist = join(options.root, "dist");
    const built = BuiltOptions.parse(JSON.parse(readFileSync(join(dist, "worker-options.json"), "utf8")));
    this.crons = built.cronTriggers;
    const worker = {
      ...built,
      ...(built.assets && { assets: { ...built.assets, directory: join(options.root, built.assets.directory) } }),
      name: "mosaic",
      modules: readModules(join(dist, "worker")),
      modulesRoot: join(dist, "worker"),
      bindings: options.bindings,
      serviceBindings: {
        MAILBOX: (request: Request) => options.receiveMail(request),
        ...networks(options.bindings),
      },
    };
    this.#miniflare = withoutSignalHandlers(
      () =>
        new Miniflare(
          convertV4MiniflareOptions({
            ...this.#shared(),
            workers: [worker, this.#timer.options(worker.name)],
          } as unknown as V4MiniflareOptions),
        ),
    );
  }

  #shared(): object {
    const { host, port, dataDir, print } = this.#options;
    return {
      host,
      port,
      resourcePersistencePath: join(dataDir, "state"),
      cf: false,
      telemetry: { enabled: false },
      logRequests: false,
      log: new Log(LogLevel.ERROR),
      // Both answer whoever reaches the port, and show or run what only the operator may.
      unsafeLocalExplorer: false,
      unsafeTriggerHandlers: false,
      unsafeRuntimeEnv: { [PROCESS_MARK]: dataDir },
      handleStructuredLogs: ({ message }: { message: string }) => {
        if (!isRuntimeNoise(message)) print(message);
      },
      unsafeHandleRuntimeRestart: () => {
        this.#recordProcess();
        print("The Workers runtime ended unexpectedly and was started again; conversations go on where they were.");
      },
    };
  }

  /** @throws StartProblem when workerd does not come up. */
  async start(): Promise<void> {
    const watch = setInterval(() => this.#recordProcess(), 50);
    try {
      await this.#miniflare.ready;
    } catch (error) {
      throw new StartProblem(
        `The Workers runtime did not start: ${error instanceof Error ? error.message : String(error)}`,
      );
    } finally {
      clearInterval(watch);
    }
    this.#recordProcess();
  }

  #recordProcess(): void {
    const workerd = childrenOf(process.pid).find(({ command }) => /(^|\/)workerd(\s|$)/.test(command));
    if (workerd) this.#options.onStarted(workerd.pid);
  }

  /** @throws Error when the Worker's handler failed, or could not be reached. */
  async runCron(cron: string, scheduledTime: Date): Promise<void> {
    await fireJob(() => this.#miniflare.dispatchFetch(...this.#timer.trigger(cron, scheduledTime)), sleep);
  }

  async stop(): Promise<void> {
    await this.#miniflare.dispose();
  }
}
