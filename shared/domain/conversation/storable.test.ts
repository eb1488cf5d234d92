import fc from "fast-check";
import { expect, it } from "vitest";
import { storable } from "./storable.ts";

it("takes NUL and half characters out of every string and key, and leaves all else alone", () => {
  const bad = { text: "a\0b\ud83d", list: ["\udc00", 1, null], "k\0": { deep: "x\0" } };
  expect(storable(bad)).toEqual({ text: "ab\ufffd", list: ["\ufffd", 1, null], k: { deep: "x" } });
  const fine = { text: "🦊 \\u0000 as words", n: 1 };
  expect(storable(fine)).toEqual(fine);
});

it("leaves nothing behind that JSON would have to escape as broken", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string({ unit: "binary" }), (value, text) => {
      const kept = JSON.stringify(storable({ value, text, lone: `${text}\ud800` }));
      expect(/(^|[^\\])(\\\\)*\\u(0000|d[89a-f])/i.test(kept)).toBe(false);
    }),
  );
});
