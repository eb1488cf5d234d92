import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { cruise, type ICruiseOptions, type IFlattenedRuleSet } from "dependency-cruiser";
import { describe, expect, it } from "vitest";

const root = path.resolve(import.meta.dirname, "../..");
const fixtures = path.join(root, "tests/fences/fixtures");
const configuration = createRequire(import.meta.url)("../../.dependency-cruiser.cjs") as {
  forbidden: { name: string }[];
  options: ICruiseOptions;
};
const ruleNames = configuration.forbidden.map((rule) => rule.name);

/** The rules that the fixture house of this name breaks, and how many modules were read. */
async function judge(name: string): Promise<{ broken: string[]; modules: number }> {
  const { output } = await cruise([path.join("tests/fences/fixtures", name)], {
    ...configuration.options,
    baseDir: root,
    validate: true,
    ruleSet: { forbidden: configuration.forbidden } as IFlattenedRuleSet,
  });
  if (typeof output === "string") throw new Error(output);
  return {
    broken: output.summary.violations.map((violation) => violation.rule.name),
    modules: output.summary.totalCruised,
  };
}

describe("import fences", () => {
  it("have one deliberately bad fixture each", () => {
    expect(readdirSync(fixtures).sort()).toEqual([...ruleNames].sort());
  });

  it.each(ruleNames)("%s catches its fixture", async (name) => {
    const { broken, modules } = await judge(name);
    expect(modules).toBeGreaterThan(0);
    expect(broken).toContain(name);
  });
});
