import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { MUTANTS } from "./mutants.ts";
import { mutate } from "./run-mutants.ts";

describe("the mutants of the chaos run", () => {
  it.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))(
    "still find what they change: %s",
    (_name, mutant) => {
      const source = readFileSync(join(import.meta.dirname, "..", "..", mutant.file), "utf8");
      expect(mutate(source, mutant)).not.toBe(source);
    },
  );
});
