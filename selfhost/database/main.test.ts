import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { neon } from "@neondatabase/serverless";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { connect } from "../../shared/adapters/postgres/database.ts";

const Report = z.union([
  z.object({
    ready: z.literal(true),
    port: z.number(),
    ownerUrl: z.string(),
    appUrl: z.string(),
    authUrl: z.string(),
    endpoint: z.string(),
  }),
  z.object({ ready: z.literal(false), error: z.string() }),
]);

interface Started {
  child: ChildProcessWithoutNullStreams;
  report: z.infer<typeof Report>;
  stderr: () => string;
}

async function start(folder: string, words: string[] = [], environment: Record<string, string> = {}): Promise<Started> {
  const main = join(import.meta.dirname, "main.ts");
  const env = { ...process.env, DATABASE_URL: "", ...environment };
  const child = spawn(process.execPath, [main, "--data-dir", folder, "--port", "0", ...words], { env });
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += String(chunk);
  });
  const [line] = await once(createInterface(child.stdout), "line");
  return { child, report: Report.parse(JSON.parse(String(line))), stderr: () => stderr };
}

function ready({ report }: Started): Extract<z.infer<typeof Report>, { ready: true }> {
  if (!report.ready) throw new Error(report.error);
  return report;
}

const openOwner = (started: Started) =>
  connect({ connectionString: ready(started).ownerUrl, endpoint: ready(started).endpoint });

const exitOf = async ({ child }: Started): Promise<unknown> =>
  child.exitCode ?? child.signalCode ?? (await once(child, "exit"))[0];

describe("the database process", () => {
  let folder = "";
  const children: Started[] = [];
  const launch: typeof start = async (...how) => {
    const started = await start(...how);
    children.push(started);
    return started;
  };
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "mosaic-main-"));
  });
  afterAll(async () => {
    for (const { child } of children) child.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  });

  it("keeps every acknowledged write through kill -9 in full flight, and comes back by itself", async () => {
    const first = await launch(folder);
    const sql = openOwner(first);
    await sql.query("create table t (id int primary key)");
    let acknowledged = 0;
    const writing = (async () => {
      for (let id = 1; ; id += 1) {
        await sql.query("insert into t values ($1)", [id]);
        acknowledged = id;
      }
    })().catch(() => undefined);
    await expect.poll(() => acknowledged, { timeout: 10_000 }).toBeGreaterThan(100);
    first.child.kill("SIGKILL");
    await writing;
    const second = await launch(folder);
    expect(ready(second).ownerUrl.split("@")[0]).toBe(ready(first).ownerUrl.split("@")[0]);
    const [found] = await openOwner(second).query("select count(*)::int as n, max(id)::int as last from t");
    expect(found?.n).toBe(found?.last);
    expect(Number(found?.last)).toBeGreaterThanOrEqual(acknowledged);
    second.child.stdin.end();
    expect(await exitOf(second)).toBe(0);
  }, 60_000);

  it("refuses a folder that is in use, naming who uses it, and stops cleanly on SIGTERM", async () => {
    const first = await launch(folder);
    const second = await launch(folder);
    expect(second.report).toEqual({
      ready: false,
      error: expect.stringContaining(`in use by process ${first.child.pid} since`),
    });
    expect(await exitOf(second)).toBe(1);
    first.child.kill("SIGTERM");
    expect(await exitOf(first)).toBe(0);
    await expect(stat(join(folder, "lock"))).rejects.toThrow("ENOENT");
  }, 60_000);

  it("ends itself with a message when a query blocks it, and starts again unharmed", async () => {
    const started = await launch(folder, ["--hang-limit-ms", "1500"]);
    const ended = once(started.child, "exit");
    await expect(openOwner(started).query("select count(*) from generate_series(1, 1000000000000)")).rejects.toThrow(
      "Error connecting",
    );
    expect(await ended).toEqual([null, "SIGKILL"]);
    expect(started.stderr()).toContain("because one query blocks it; it is being restarted");
    const next = await launch(folder);
    expect(await openOwner(next).query("select 1 as one")).toEqual([{ one: 1 }]);
    next.child.stdin.end();
    expect(await exitOf(next)).toBe(0);
  }, 60_000);

  it("says in one sentence what is wrong with its start", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const address = taken.address();
    const port = address !== null && typeof address === "object" ? address.port : 0;
    const wrong: [string[], Record<string, string>, string][] = [
      [["--port", String(port)], {}, `Port ${port} on 127.0.0.1 is in use`],
      [["--port", "many"], {}, "--port is a number from 0 to 65535"],
      [[], { DATABASE_URL: "postgresql://u:p@127.0.0.1:1/d" }, "The database d at 127.0.0.1:1 cannot be reached"],
      [[], { DATABASE_URL: "nonsense" }, "DATABASE_URL is not a URL"],
      [
        [],
        { DATABASE_URL: "postgresql://u:p@h/d", DATABASE_APP_URL: "postgresql://root:p@h/d" },
        "DATABASE_APP_URL must be a URL of the form postgresql://app_user:",
      ],
    ];
    for (const [words, environment, sentence] of wrong) {
      const started = await launch(folder, words, environment);
      expect(started.report).toEqual({ ready: false, error: expect.stringContaining(sentence) });
      expect(JSON.stringify(started.report)).not.toContain("u:p");
      expect(await exitOf(started)).toBe(1);
    }
    taken.close();
  }, 60_000);

  it("keeps its passwords to their owner and does not replace what it cannot read", async () => {
    const path = join(folder, "passwords.json");
    expect((await stat(path)).mode & 0o077).toBe(0);
    const kept = await readFile(path, "utf8");
    await writeFile(path, "{");
    const started = await launch(folder);
    expect(started.report).toEqual({
      ready: false,
      error: expect.stringContaining("passwords.json does not hold the database passwords"),
    });
    expect(await readFile(path, "utf8")).toBe("{");
    await writeFile(path, kept);
  }, 30_000);

  it("answers Neon's protocol to those who show the password, and nobody else", async () => {
    const started = await launch(folder);
    const { ownerUrl, endpoint } = ready(started);
    const sql = openOwner(started);
    const rows = await sql.query("select $1::int as i, $2::bool as b, $3::jsonb as j, null as n, $4::text[] as a", [
      1,
      true,
      { x: "ü" },
      ["p", "q"],
    ]);
    expect(rows).toEqual([{ i: 1, b: true, j: { x: "ü" }, n: null, a: ["p", "q"] }]);

    const stranger = neon(ownerUrl.replace(/:[^:@]*@/, ":wrong@"));
    await expect(stranger.query("select 1")).rejects.toMatchObject({ code: "28P01" });
    const post = (body: string, headers: Record<string, string> = { "Neon-Connection-String": ownerUrl }) =>
      fetch(endpoint, { method: "POST", body, headers });
    expect((await post("{}", {})).status).toBe(400);
    for (const body of ["{", "{}", '{"queries":1}', '{"query":"select 1\\u0000"}']) {
      expect((await post(body)).status).toBe(400);
    }
    expect((await fetch(endpoint)).status).toBe(405);
    expect((await fetch(new URL("/", endpoint))).status).toBe(404);
    await expect(sql.query("select 'a\0b'")).rejects.toMatchObject({ code: "22021" });
    await expect(sql.query("selec")).rejects.toMatchObject({ code: "42601", position: "1", severity: "ERROR" });
    started.child.stdin.end();
    await exitOf(started);
  }, 60_000);
});
