import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chown, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { type Postgres15Install, preparePostgres15 } from "../../../scripts/postgres15.ts";

export interface RealPostgres {
  /** An empty database with pgvector, owned by a role that is no superuser, as on a managed server. */
  makeDatabase(): Promise<string>;
  stop(): Promise<void>;
}

interface Account {
  uid: number;
  gid: number;
}

/**
 * Starts a real Postgres 15 on a free port of loopback, with data in a temporary folder that `stop` removes.
 * @throws Error with one sentence where it cannot be had
 */
export async function startRealPostgres(): Promise<RealPostgres> {
  const install = await preparePostgres15();
  const account = await unprivilegedAccount();
  const folder = await mkdtemp(join(tmpdir(), "mosaic-postgres15-"));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const password = randomBytes(18).toString("base64url");
    await initialise(install, account, folder, password);
    const port = await freePort();
    const server = await startServer(install, account, folder, port);
    const admin = `postgresql://postgres:${password}@127.0.0.1:${port}/postgres`;
    await waitUntilReady(admin, server);
    return {
      makeDatabase: () => makeDatabase(admin),
      stop: async () => {
        const ended = once(server, "exit");
        server.kill("SIGINT");
        await ended;
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Postgres refuses to run as root; as anyone else it runs as that one. */
async function unprivilegedAccount(): Promise<Account | null> {
  if (process.getuid?.() !== 0) return null;
  const accounts = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => line.split(":"));
  const found = accounts.find(([name]) => name === "postgres") ?? accounts.find(([name]) => name === "nobody");
  if (!found)
    throw new Error("Postgres does not run as root, and there is no account `postgres` or `nobody` to run it as.");
  return { uid: Number(found[2]), gid: Number(found[3]) };
}

function launch(install: Postgres15Install, account: Account | null, program: string, words: string[]): ChildProcess {
  return spawn(join(install.bin, program), words, {
    stdio: ["ignore", "pipe", "pipe"],
    cwd: tmpdir(),
    env: { PATH: process.env.PATH, LD_LIBRARY_PATH: install.libraries, LC_ALL: "C.UTF-8", TZ: "UTC" },
    ...(account ?? {}),
  });
}

async function initialise(
  install: Postgres15Install,
  account: Account | null,
  folder: string,
  password: string,
): Promise<void> {
  const secret = join(folder, "password");
  await writeFile(secret, password, { mode: 0o600 });
  if (account) for (const path of [folder, secret]) await chown(path, account.uid, account.gid);
  const words = [
    "-D",
    join(folder, "data"),
    "-U",
    "postgres",
    "-A",
    "scram-sha-256",
    `--pwfile=${secret}`,
    "--no-sync",
  ];
  const initdb = launch(install, account, "initdb", [...words, "--encoding=UTF8", "--locale=C.UTF-8"]);
  const output = collect(initdb);
  const [code] = await once(initdb, "exit");
  if (code !== 0) throw new Error(`initdb of Postgres 15 failed: ${output().trim().split("\n").at(-1) ?? ""}`);
}

async function startServer(
  install: Postgres15Install,
  account: Account | null,
  folder: string,
  port: number,
): Promise<ChildProcess> {
  const settings = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "fsync=off",
    "jit=off",
    "shared_buffers=32MB",
  ];
  const words = ["-D", join(folder, "data"), "-p", String(port), ...settings.flatMap((setting) => ["-c", setting])];
  const server = launch(install, account, "postgres", words);
  collect(server);
  return server;
}

function collect(child: ChildProcess): () => string {
  let text = "";
  const keep = (chunk: unknown): void => {
    text = (text + String(chunk)).slice(-4_000);
  };
  child.stdout?.on("data", keep);
  child.stderr?.on("data", keep);
  child.on("error", (error) => keep(error.message));
  return () => text;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("There is no free port.");
  return address.port;
}

async function waitUntilReady(url: string, server: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (server.exitCode !== null) throw new Error("Postgres 15 ended right after its start.");
    const reached = await query(url, "select 1").catch(() => null);
    if (reached) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  server.kill("SIGKILL");
  throw new Error("Postgres 15 did not answer within 10 s of its start.");
}

async function query(url: string, ...statements: string[]): Promise<true> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
  return true;
}

async function makeDatabase(admin: string): Promise<string> {
  const name = `mosaic_${randomBytes(6).toString("hex")}`;
  const password = randomBytes(18).toString("base64url");
  await query(
    admin,
    `create role ${name} login createrole password '${password}'`,
    `create database ${name} owner ${name}`,
  );
  const url = new URL(admin);
  url.pathname = name;
  // pgvector is not marked as trusted: on a managed server the administrator makes it.
  await query(url.href, "create extension vector");
  url.username = name;
  url.password = password;
  return url.href;
}
