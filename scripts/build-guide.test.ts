import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { guideContent, passagesOf } from "./build-guide.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

describe("the guide's content", () => {
  it("is as new as the documents (else run `node scripts/build-guide.ts`)", () => {
    const committed = readFileSync(join(root, "shared/adapters/providers/guide/guide-content.gen.ts"), "utf8");
    expect(committed).toBe(guideContent(root));
  });

  it("cuts a document at its headings, but not inside a fence", () => {
    const passages = passagesOf(
      "docs/a.md",
      "# One\n\nfirst\n\n```sh\n# not a heading\n```\n\n## Two\n\n![picture](x.png)\nsecond\n",
    );
    expect(passages).toEqual([
      { doc: "docs/a.md", heading: "One", text: "first\n\n```sh\n# not a heading\n```" },
      { doc: "docs/a.md", heading: "Two", text: "second" },
    ]);
  });
});
