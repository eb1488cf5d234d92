/**
 * The database process: `node selfhost/database/main.ts --data-dir <folder> --port <n>`, with `DATABASE_URL` for any
 * Postgres instead of the embedded one. Prints one JSON line when it is ready, or why it is not. Stops on SIGTERM,
 * SIGINT, and when its standard input closes: it never outlives the process that started it.
 */
import "../small-heap.ts";
import { parseArgs } from "node:util";
import { startDatabase } from "./start-database.ts";
import { HANG_LIMIT_MS } from "./watchdog.ts";

const report = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

function fail(error: unknown): never {
  report({ ready: false, error: error instanceof Error ? error.message : String(error) });
  process.exit(1);
}

function readOptions(): { dataDir: string; port: number; hangLimitMs: number } {
  const { values } = parseArgs({
    options: {
      "data-dir": { type: "string" },
      port: { type: "string", default: "0" },
      "hang-limit-ms": { type: "string", default: String(HANG_LIMIT_MS) },
    },
  });
  const dataDir = values["data-dir"];
  const port = Number(values.port);
  if (!dataDir) throw new Error("Say where the database lives with --data-dir <folder>.");
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error("--port is a number from 0 to 65535.");
  const hangLimitMs = Number(values["hang-limit-ms"]);
  if (!(hangLimitMs >= 100)) throw new Error("--hang-limit-ms is a number of milliseconds, at least 100.");
  return { dataDir, port, hangLimitMs };
}

async function main(): Promise<void> {
  // Installed first: a signal during the start must end it cleanly too.
  let stop: (() => Promise<void>) | undefined;
  let stopping = false;
  const end = (): void => {
    if (stopping) return;
    stopping = true;
    if (!stop) return;
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(`The database did not stop cleanly: ${String(error)}`);
        process.exit(1);
      },
    );
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, end);
  process.stdin.on("end", end).on("close", end).on("error", end).resume();

  const { DATABASE_URL: ownerUrl, DATABASE_APP_URL: appUrl, DATABASE_AUTH_URL: authUrl } = process.env;
  const upstream = ownerUrl
    ? { upstream: { ownerUrl, ...(appUrl ? { appUrl } : {}), ...(authUrl ? { authUrl } : {}) } }
    : {};
  const onCrash = (error: unknown): void => {
    console.error(`The database fell over and is being restarted: ${String(error)}`);
    process.exit(1);
  };
  const database = await startDatabase({ ...readOptions(), ...upstream, onCrash });
  stop = database.stop;
  if (stopping) return void (await database.stop().then(() => process.exit(0)));
  const { port, appUrl: app, authUrl: auth, ownerUrl: owner, endpoint } = database;
  report({ ready: true, port, appUrl: app, authUrl: auth, ownerUrl: owner, endpoint });
}

main().catch(fail);
