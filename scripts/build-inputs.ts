import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

export const root = join(import.meta.dirname, "..");
export const dist = join(root, "dist");
const stampPath = join(dist, "built-from.json");

const build = [
  "package-lock.json",
  "scripts/build.ts",
  "scripts/build-inputs.ts",
  "scripts/web-headers.ts",
  "scripts/write-worker-options.ts",
  "tsconfig.base.json",
];

/** What each half is made from. A change in one does not rebuild the other. */
const inputs = {
  worker: [...build, "wrangler.toml", "workers", "durable-objects", "shared", "docs", "README.md"],
  web: [...build, "clients/web", "workers/docs", "shared/contract", "shared/client"],
};
export type Half = keyof typeof inputs;
export const halves = ["worker", "web"] as const satisfies readonly Half[];

const isInput = (path: string): boolean => !/\.test\.tsx?$|(^|\/)(node_modules|dist|testing)(\/|$)/.test(path);

function* filesUnder(path: string): Generator<string> {
  if (!existsSync(path)) return;
  const entries = readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const inner = join(path, entry.name);
    if (!isInput(relative(root, inner))) continue;
    if (entry.isDirectory()) yield* filesUnder(inner);
    else if (entry.isFile()) yield inner;
  }
}

/** A hash of the names and contents of everything that half is built from. */
export function inputsHash(half: Half): string {
  const hash = createHash("sha256");
  for (const input of inputs[half]) {
    const path = join(root, input);
    const files = /\.\w+$/.test(input) ? [path] : filesUnder(path);
    for (const file of files)
      if (existsSync(file)) hash.update(relative(root, file)).update("\0").update(readFileSync(file)).update("\0");
  }
  return hash.digest("hex");
}

/** What dist was built from, by half; empty when it was not, or not to the end. */
export function builtFrom(): Partial<Record<Half, string>> {
  if (!existsSync(stampPath)) return {};
  const stamp: unknown = JSON.parse(readFileSync(stampPath, "utf8"));
  if (typeof stamp !== "object" || stamp === null) return {};
  return Object.fromEntries(Object.entries(stamp).filter(([, hash]) => typeof hash === "string"));
}

export { stampPath };

/** The halves whose inputs changed since they were built. */
export function staleHalves(): Half[] {
  const built = builtFrom();
  return halves.filter((half) => built[half] !== inputsHash(half));
}
