/** Bundles the Worker of the measurements as `npm run build` bundles the shipped one, into a folder of its own. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as z from "zod";
import { inputsHash, root } from "../../scripts/build-inputs.ts";

const entry = join(import.meta.dirname, "index.ts");
/** Stands for a checkout with dist/ in it: what `WorkerRuntime` takes as its root. */
const house = join(root, ".cache", "bench-house");

const Options = z.looseObject({ durableObjects: z.record(z.string(), z.looseObject({})) });

/** @returns the folder to give to `WorkerRuntime` as its root. */
export function buildHouse(): string {
  const stamp = join(house, "built-from");
  const hash = createHash("sha256").update(inputsHash("worker")).update(readFileSync(entry)).digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === hash) return house;
  rmSync(house, { recursive: true, force: true });
  const [worker, web] = [join(house, "dist", "worker"), join(house, "dist", "web")];
  for (const folder of [worker, web]) mkdirSync(folder, { recursive: true });
  const optionsPath = join(house, "dist", "worker-options.json");
  const writesOptions = pathToFileURL(join(root, "scripts", "write-worker-options.ts")).href;
  const wrangler = join(root, "node_modules", "wrangler", "wrangler-dist", "cli.js");
  execFileSync(
    process.execPath,
    [
      "--no-warnings",
      "--import",
      writesOptions,
      wrangler,
      "deploy",
      entry,
      "--dry-run",
      "--minify",
      "--outdir",
      worker,
      "--assets",
      web,
    ],
    {
      cwd: root,
      stdio: ["ignore", "ignore", "inherit"],
      env: {
        ...process.env,
        WRANGLER_SEND_METRICS: "false",
        WRANGLER_LOG_PATH: join(house, "logs"),
        MOSAIC_WORKER_OPTIONS: optionsPath,
      },
    },
  );
  const options = Options.parse(JSON.parse(readFileSync(optionsPath, "utf8")));
  options.durableObjects.BARE = { className: "BareObject", useSQLite: true };
  writeFileSync(optionsPath, JSON.stringify(options));
  writeFileSync(stamp, hash);
  return house;
}
