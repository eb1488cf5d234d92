import { describe, expect, it } from "vitest";
import { parseKeyRing } from "./key-ring.ts";
import { parseSettings } from "./settings.ts";

const key = (fill: number, bytes = 32): string => Buffer.alloc(bytes, fill).toString("base64");

describe("the key ring", () => {
  it("is read in order, with blanks around its entries", () => {
    const ring = parseKeyRing(` k2:${key(2)} , k1:${key(1)}`);
    expect(ring.ok && ring.keys.map(({ id, bytes }) => [id, bytes[0], bytes.length])).toEqual([
      ["k2", 2, 32],
      ["k1", 1, 32],
    ]);
  });

  it.each([
    ["nothing", "", /^is empty/],
    ["a key without a name", key(7), /^entry 1 is not of the form name:base64$/],
    ["a name that could be a key", `${key(7)}:${key(8)}`, /^entry 1 needs a name/],
    ["an empty name", `:${key(7)}`, /^entry 1 needs a name/],
    ["wrong base64", `k1:${key(7).replace("=", "!")}`, /^entry 1 is not base64/],
    ["base64 without its padding", `k1:${key(7).replace("=", "")}`, /^entry 1 is not base64/],
    ["base64 with stray bits", `k1:${key(0).replace("A=", "B=")}`, /^entry 1 is not base64/],
    ["base64url", `k1:${key(255).replaceAll("/", "_")}`, /^entry 1 is not base64/],
    ["a short key", `k1:${key(7, 16)}`, /^entry 1 is a key of 16 bytes; it must have 32$/],
    ["a long key", `k1:${key(7)},k2:${key(7, 33)}`, /^entry 2 is a key of 33 bytes/],
    ["a name twice", `k1:${key(7)},k2:${key(8)},k1:${key(9)}`, /^entry 3 has the same name as entry 1/],
    ["a comma too many", `k1:${key(7)},`, /^entry 2 is not of the form/],
    ["two colons", `k1:x:${key(7)}`, /^entry 1 is not of the form/],
  ])("says in one clear sentence what is wrong with %s, and repeats none of it", (_what, text, sentence) => {
    const ring = parseKeyRing(text);
    const said = ring.ok ? "" : ring.problem;
    expect(said).toMatch(sentence);
    for (const part of text.split(/[:,]/).filter((word) => word.length > 3)) expect(said).not.toContain(part);
    const settings = parseSettings({ CREDENTIALS_KEYS: text });
    const problems = settings.ok ? [] : settings.problems.split("; ");
    expect(problems.find((line) => line.startsWith("CREDENTIALS_KEYS: "))).toMatch(/^CREDENTIALS_KEYS: (entry \d|is)/);
  });

  it("passes where the settings are checked as a whole", () => {
    const settings = parseSettings({ CREDENTIALS_KEYS: `k1:${key(7)}` });
    expect(settings.ok ? "" : settings.problems).not.toContain("CREDENTIALS_KEYS");
  });
});
