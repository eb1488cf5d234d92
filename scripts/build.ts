/**
 * `npm run build`: the Worker's bundle with the options Miniflare runs it with, and the page, side by side into dist/.
 * A half whose inputs did not change is kept.
 */
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { builtFrom, dist, type Half, halves, inputsHash, root, stampPath } from "./build-inputs.ts";
import { webHeaders } from "./web-headers.ts";

const GZIP_LIMIT_KIB = 1024;
const workerFolder = join(dist, "worker");
const webFolder = join(dist, "web");

/** @throws Error with the tool's own output when it fails. */
function run(
  tool: string,
  args: string[],
  { nodeArgs = [], env: added = {} }: { nodeArgs?: string[]; env?: Record<string, string> } = {},
): Promise<void> {
  const env = {
    ...process.env,
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_HIDE_BANNER: "true",
    NO_COLOR: "1",
    FORCE_COLOR: "0",
    WRANGLER_LOG_PATH: join(dist, "logs"),
    ...added,
  };
  const child = spawn(process.execPath, [...nodeArgs, join(root, "node_modules", tool), ...args], {
    cwd: root,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => output.push(chunk));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve();
      else
        reject(
          new Error(`${Buffer.concat(output).toString()}\nThe build failed in ${tool}; its own lines above say where.`),
        );
    });
  });
}

/** Puts a finished folder in the place of the old one, so that a stack which starts meanwhile reads a whole one. */
function replaceFolder(folder: string, made: string): void {
  const old = `${made}-old`;
  if (existsSync(folder)) renameSync(folder, old);
  renameSync(made, folder);
  rmSync(old, { recursive: true, force: true });
}

function scratchFolder(name: string): string {
  const folder = join(dist, `.${name}-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** The assets are given as an empty folder: the real one is being made at this moment, and the bundle is the same. */
async function buildWorker(): Promise<void> {
  const [made, scratch] = [scratchFolder("worker"), scratchFolder("scratch")];
  try {
    mkdirSync(webFolder, { recursive: true });
    const optionsPath = join(scratch, "options.json");
    const dryRun = ["deploy", "--dry-run", "--minify", "--outdir", made, "--assets", join(scratch, "assets")];
    mkdirSync(join(scratch, "assets"));
    // Not wrangler's launcher, which would start a second Node for this.
    await run("wrangler/wrangler-dist/cli.js", dryRun, {
      nodeArgs: ["--no-warnings", "--import", pathToFileURL(join(root, "scripts", "write-worker-options.ts")).href],
      env: { MOSAIC_WORKER_OPTIONS: optionsPath },
    });
    replaceFolder(workerFolder, made);
    renameSync(optionsPath, join(dist, "worker-options.json"));
  } finally {
    for (const folder of [made, scratch]) rmSync(folder, { recursive: true, force: true });
  }
}

async function buildWeb(): Promise<void> {
  const made = scratchFolder("web");
  try {
    await run("vite/bin/vite.js", ["build", "clients/web", "--outDir", made, "--emptyOutDir", "--logLevel", "warn"]);
    const docs = join(made, "docs-assets");
    mkdirSync(docs, { recursive: true });
    const swagger = join(root, "node_modules", "swagger-ui-dist");
    for (const name of ["swagger-ui.css", "swagger-ui-bundle.js"]) cpSync(join(swagger, name), join(docs, name));
    cpSync(join(root, "workers", "docs", "swagger-init.js"), join(docs, "init.js"));
    writeFileSync(join(made, "_headers"), webHeaders());
    replaceFolder(webFolder, made);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

function workerSize(): string {
  const files = readdirSync(workerFolder).filter((name) => !/\.map$|README\.md$/.test(name));
  const contents = files.map((name) => readFileSync(join(workerFolder, name)));
  const kib = (bytes: number): number => Math.ceil(bytes / 1024);
  const gzip = kib(contents.reduce((sum, content) => sum + gzipSync(content).length, 0));
  const plain = kib(contents.reduce((sum, content) => sum + content.length, 0));
  if (gzip > GZIP_LIMIT_KIB)
    throw new Error(
      `The Worker is ${gzip} KiB gzipped and may be ${GZIP_LIMIT_KIB}; load what few requests need lazily.`,
    );
  return `${plain} KiB, ${gzip} KiB gzipped`;
}

const builders: Record<Half, () => Promise<void>> = { worker: buildWorker, web: buildWeb };

async function build(): Promise<void> {
  const built = builtFrom();
  const hashes = { worker: inputsHash("worker"), web: inputsHash("web") };
  const made = {
    worker: existsSync(join(dist, "worker-options.json")),
    web: existsSync(join(webFolder, "index.html")),
  };
  const stale = halves.filter((half) => built[half] !== hashes[half] || !made[half]);
  const started = performance.now();
  const results = await Promise.allSettled(
    stale.map(async (half) => {
      await builders[half]();
      built[half] = hashes[half];
    }),
  );
  mkdirSync(dist, { recursive: true });
  for (const [index, half] of stale.entries()) if (results[index]?.status === "rejected") delete built[half];
  writeFileSync(stampPath, JSON.stringify(built));
  for (const result of results) if (result.status === "rejected") throw result.reason;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const what = stale.length === 0 ? "nothing changed" : `built ${stale.join(" and ")} in ${seconds} s`;
  console.log(`Worker ${workerSize()}; ${what}.`);
}

build().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
