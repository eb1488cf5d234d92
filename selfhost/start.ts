/** `npm start`: the whole stack on this machine, one line per step, until SIGINT or SIGTERM. */
import "./small-heap.ts";
import { chmodSync, mkdirSync, realpathSync, rmSync } from "node:fs";
import { join } from "node:path";
import { buildStack } from "./build-stack.ts";
import { startCronTimer } from "./cron-timer.ts";
import { lockFolder } from "./database/folder-lock.ts";
import { type DatabaseAddress, DatabaseProcess } from "./database-process.ts";
import { claimPort } from "./free-port.ts";
import { receiveMail } from "./mailbox.ts";
import { modelsLine } from "./models-line.ts";
import { findOllama } from "./ollama-probe.ts";
import { OwnProcesses, PROCESS_MARK } from "./own-processes.ts";
import { watchParent } from "./parent-watch.ts";
import { waitUntilReady, watchHealth } from "./stack-health.ts";
import { readOrMakeSecrets } from "./stack-secrets.ts";
import { readStackSettings, type StackSettings } from "./stack-settings.ts";
import { messageOf, StartProblem } from "./start-problem.ts";
import { workerBindings } from "./worker-environment.ts";
import type { WorkerRuntime } from "./worker-runtime.ts";

const root = join(import.meta.dirname, "..");
const print = (line: string): void => void process.stdout.write(`${line}\n`);

const EVERY_MINUTE = "* * * * *";

/** What has been started, newest last; stopped in the opposite order. */
const running: { name: string; stop(): unknown }[] = [];
let isStopping = false;

async function stop(code: number): Promise<never> {
  if (isStopping) return new Promise(() => undefined);
  isStopping = true;
  // Whatever hangs: within 5 s there is no process left.
  setTimeout(() => process.exit(code || 1), 4_800).unref();
  for (const { name, stop: end } of running.reverse()) {
    try {
      await end();
    } catch (error) {
      print(`${name} did not stop cleanly: ${messageOf(error)}`);
    }
  }
  if (code === 0) print("Stopped.");
  process.exit(code);
}

function claimFolder(path: string): string {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    chmodSync(path, 0o700);
    const dataDir = realpathSync(path);
    const lock = lockFolder(dataDir);
    running.push({ name: "The folder lock", stop: () => lock.release() });
    // Miniflare leaves its temporary files behind when it is killed; here the next start removes them.
    process.env.TMPDIR = join(dataDir, "tmp");
    rmSync(process.env.TMPDIR, { recursive: true, force: true });
    mkdirSync(process.env.TMPDIR, { mode: 0o700 });
    return dataDir;
  } catch (error) {
    throw new StartProblem(messageOf(error).replace("The database folder", "The data folder"));
  }
}

async function startDatabase(settings: StackSettings, dataDir: string, own: OwnProcesses): Promise<DatabaseAddress> {
  const database = new DatabaseProcess(join(dataDir, "database"), {
    env: { ...process.env, [PROCESS_MARK]: dataDir },
    onStarted: (pid) => own.record("database", pid),
    print,
  });
  running.push({ name: "The database", stop: () => database.stop(2_500) });
  const starts = database.start();
  // The driver takes half a second to load; the database process starts meanwhile.
  const [address, { migrateDatabase }] = await Promise.all([starts, import("./migrate-database.ts")]);
  print(settings.databaseUrl ? "Database: yours, from DATABASE_URL." : "Database: embedded Postgres.");
  const applied = await migrateDatabase(address, join(root, "migrations"));
  print(applied === 0 ? "Migrations: up to date." : `Migrations: ${applied} applied.`);
  return address;
}

function startCron(worker: WorkerRuntime): void {
  const fire = (cron: string, at: Date): void => {
    worker.runCron(cron, at).catch((error: unknown) => {
      if (!isStopping) print(`The job of "${cron}" failed: ${messageOf(error)}`);
    });
  };
  running.push({ name: "The timer", stop: startCronTimer(worker.crons, fire) });
  // How the providers fare is known before the first message, not only after the first full minute.
  if (worker.crons.includes(EVERY_MINUTE)) fire(EVERY_MINUTE, new Date());
}

async function start(): Promise<void> {
  const settings = readStackSettings(process.env);
  const dataDir = claimFolder(settings.dataDir);
  print(`Data folder: ${dataDir}`);
  const own = new OwnProcesses(dataDir);
  running.push({ name: "The list of processes", stop: () => own.clear() });
  const orphans = await own.endOrphans();
  if (orphans.length > 0) print(`Ended what an earlier run left behind: ${orphans.join(", ")}.`);
  const port = await claimPort(settings.host, settings.port);
  const secrets = readOrMakeSecrets(dataDir, process.env);
  print(secrets.areNew ? "Secrets: made for this data folder." : "Secrets: from the data folder.");

  const databaseStarts = startDatabase(settings, dataDir, own);
  // Miniflare takes a second to load; the database process starts meanwhile.
  const [database, build, ollamaBaseUrl, { WorkerRuntime: Runtime }] = await Promise.all([
    databaseStarts,
    buildStack(root),
    findOllama(settings.ollamaBaseUrl),
    import("./worker-runtime.ts"),
  ]);
  print(build);
  print(ollamaBaseUrl === "off" ? "Ollama: none on this machine." : `Ollama: ${ollamaBaseUrl}`);
  print(modelsLine(process.env, ollamaBaseUrl));

  const publicUrl = settings.publicUrl ?? `http://localhost:${port}`;
  const worker = new Runtime({
    host: settings.host,
    port,
    root,
    dataDir,
    bindings: workerBindings({
      env: process.env,
      publicUrl,
      ollamaBaseUrl,
      isPublic: settings.isPublic,
      secrets,
      database,
    }),
    receiveMail: (request) => receiveMail(join(dataDir, "mail"), request, print),
    print,
    onStarted: (pid) => own.record("workerd", pid),
  });
  running.push({ name: "The Workers runtime", stop: () => worker.stop() });
  await worker.start();
  print(`Workers runtime: listening on ${settings.host}:${port}.`);
  startCron(worker);
  await waitUntilReady(settings.host, port);
  running.push({
    name: "The watch",
    stop: watchHealth(settings.host, port, (problem) => void fail(new StartProblem(problem))),
  });
  if (settings.isPublic)
    print(`The first sign-up needs this setup token: ${process.env.SETUP_TOKEN || secrets.SETUP_TOKEN}`);
  print(`Mosaic is ready at ${publicUrl}`);
}

async function fail(error: unknown): Promise<void> {
  if (isStopping) return;
  console.error(error instanceof StartProblem ? error.message : error);
  await stop(1);
}

// With npm its pipe is gone too; a line that nobody reads must not end the stop half-way.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    if (isStopping) return;
    print("Stopping.");
    void stop(0);
  });
}
watchParent(process.env, () => {
  print("Stopping, because npm has ended.");
  void stop(0);
});
start().catch(fail);
