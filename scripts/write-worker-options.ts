/**
 * Loaded into wrangler's own process before its dry run. When that has succeeded, writes what wrangler.toml says as
 * Miniflare takes it to MOSAIC_WORKER_OPTIONS: wrangler is loaded there anyway, and a second time costs a second.
 */
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, relative } from "node:path";
import * as z from "zod";
import { dist, root } from "./build-inputs.ts";

const Wrangler = z.looseObject({
  unstable_getMiniflareWorkerOptions: z.function({
    input: [z.string()],
    output: z.looseObject({ workerOptions: z.looseObject({ assets: z.looseObject({}).optional() }) }),
  }),
});

/** Paths are relative to the checkout, and no secret is in it. */
function workerOptions(): object {
  const wrangler = Wrangler.parse(createRequire(import.meta.url)("wrangler"));
  const { workerOptions: options } = wrangler.unstable_getMiniflareWorkerOptions(join(root, "wrangler.toml"));
  const { modulesRules: _rules, rootPath: _rootPath, assets, ...rest } = options;
  return { ...rest, ...(assets && { assets: { ...assets, directory: relative(root, join(dist, "web")) } }) };
}

process.on("exit", (code) => {
  const target = process.env.MOSAIC_WORKER_OPTIONS;
  if (code === 0 && target) writeFileSync(target, JSON.stringify(workerOptions(), null, 2));
});
