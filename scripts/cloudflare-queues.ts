/** The queues that wrangler.toml names must exist before a Worker that uses them can be deployed. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { dist, root } from "./build-inputs.ts";

const BuiltOptions = z.looseObject({
  queueProducers: z.record(z.string(), z.looseObject({ queueName: z.string() })).default({}),
  queueConsumers: z.record(z.string(), z.looseObject({ deadLetterQueue: z.string().optional() })).default({}),
});

/** Every queue that the built Worker sends to, reads, or leaves its dead letters in; by name, each once. */
export function queuesOf(workerOptions: unknown): string[] {
  const { queueProducers, queueConsumers } = BuiltOptions.parse(workerOptions);
  const names = [
    ...Object.values(queueProducers).map(({ queueName }) => queueName),
    ...Object.entries(queueConsumers).flatMap(([name, { deadLetterQueue }]) => [name, deadLetterQueue ?? []].flat()),
  ];
  return [...new Set(names)].sort();
}

function wrangler(args: string[], env: NodeJS.ProcessEnv, shows: boolean): Promise<number | null> {
  const child = spawn(process.execPath, [join(root, "node_modules/wrangler/bin/wrangler.js"), ...args], {
    cwd: root,
    stdio: shows ? "inherit" : "ignore",
    env: { ...env, WRANGLER_SEND_METRICS: "false" },
  });
  return new Promise((resolve, reject) => child.on("error", reject).on("close", resolve));
}

/**
 * Makes those that are missing in the account; the others stay as they are.
 * @throws Error when one cannot be made; wrangler's own lines say why
 */
export async function makeMissingQueues(names: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<void> {
  for (const name of names) {
    if ((await wrangler(["queues", "info", name], env, false)) === 0) continue;
    if ((await wrangler(["queues", "create", name], env, true)) === 0) continue;
    throw new Error(
      `The queue ${name} could not be made; wrangler's own lines above say why. A CLOUDFLARE_API_TOKEN needs the right to edit Queues.`,
    );
  }
}

export const builtQueues = (): string[] =>
  queuesOf(JSON.parse(readFileSync(join(dist, "worker-options.json"), "utf8")));
