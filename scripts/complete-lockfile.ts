/**
 * `npm ci` refuses a lockfile that lacks an optional package of any platform, and npm leaves those out when the registry in
 * use does not carry them. They are never fetched here (their os and cpu do not match), so naming them is enough.
 * Run after each change of a dependency: `node scripts/complete-lockfile.ts`.
 */
import { readFileSync, writeFileSync } from "node:fs";
import * as z from "zod";

const Entry = z.looseObject({
  version: z.string().optional(),
  dev: z.boolean().optional(),
  optionalDependencies: z.record(z.string(), z.string()).optional(),
});
const Lockfile = z.looseObject({ packages: z.record(z.string(), Entry) });

const systems = ["android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32"];
const processors = ["arm64", "arm", "ia32", "loong64", "mips64el", "ppc64", "riscv64", "s390x", "wasm32", "x64"];

function platform(name: string): { os?: string[]; cpu?: string[]; libc?: string[] } {
  const words = name.split(/[^a-z0-9]+/);
  const os = systems.find((system) => words.includes(system));
  const cpu = processors.find((processor) => words.includes(processor));
  const libc = words.some((word) => word.startsWith("musl"))
    ? "musl"
    : words.some((word) => word.startsWith("gnu"))
      ? "glibc"
      : undefined;
  return { ...(cpu && { cpu: [cpu] }), ...(os && { os: [os] }), ...(os === "linux" && libc && { libc: [libc] }) };
}

/** Where Node would look for `name` from the package at `at`, nearest first, as lockfile keys. */
function lookupKeys(at: string, name: string): string[] {
  const keys = [`${at}/node_modules/${name}`];
  let parent = at;
  for (let cut = parent.lastIndexOf("/node_modules/"); cut >= 0; cut = parent.lastIndexOf("/node_modules/")) {
    parent = parent.slice(0, cut);
    keys.push(`${parent}/node_modules/${name}`);
  }
  return [...keys, `node_modules/${name}`];
}

/** @returns the optional packages that `packages` asks for by exact version and does not hold, as lockfile entries. */
export function missingPlatformPackages(packages: z.infer<typeof Lockfile>["packages"]): Record<string, object> {
  const missing: Record<string, object> = {};
  for (const [at, entry] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (!/^\d/.test(version) || at === "" || lookupKeys(at, name).some((key) => key in packages)) continue;
      const where =
        packages[`node_modules/${name}`] === undefined ? `node_modules/${name}` : `${at}/node_modules/${name}`;
      missing[where] = { version, ...(entry.dev && { dev: true }), license: "MIT", optional: true, ...platform(name) };
    }
  }
  return missing;
}

/** @throws Error when the file is not a lockfile of version 2 or later. */
export function readLockfile(path: string): z.infer<typeof Lockfile> {
  return Lockfile.parse(JSON.parse(readFileSync(path, "utf8")));
}

/** zod moves known keys first; what goes back to disk keeps npm's order. */
const Ordered = z.record(z.string(), z.unknown());

if (import.meta.main) {
  const path = "package-lock.json";
  const missing = missingPlatformPackages(readLockfile(path).packages);
  const file = Ordered.parse(JSON.parse(readFileSync(path, "utf8")));
  const packages = Object.entries({ ...Ordered.parse(file.packages), ...missing }).sort(([a], [b]) =>
    a.localeCompare(b, "en"),
  );
  writeFileSync(path, `${JSON.stringify({ ...file, packages: Object.fromEntries(packages) }, null, 2)}\n`);
  console.log(`${Object.keys(missing).length} platform packages added to ${path}.`);
}
