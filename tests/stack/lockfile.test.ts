import { join } from "node:path";
import { expect, it } from "vitest";
import { missingPlatformPackages, readLockfile } from "../../scripts/complete-lockfile.ts";

const { packages } = readLockfile(join(import.meta.dirname, "..", "..", "package-lock.json"));

it("names the optional packages of every platform, so that `npm ci` accepts it (else: node scripts/complete-lockfile.ts)", () => {
  expect(Object.keys(missingPlatformPackages(packages))).toEqual([]);
});

it("would notice one that is missing", () => {
  const { "node_modules/@biomejs/cli-darwin-arm64": removed, ...rest } = packages;
  expect(removed).toBeDefined();
  expect(missingPlatformPackages(rest)).toMatchObject({
    "node_modules/@biomejs/cli-darwin-arm64": { optional: true, os: ["darwin"], cpu: ["arm64"] },
  });
});
