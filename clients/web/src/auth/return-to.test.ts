import { expect, test } from "vitest";
import { safeReturnTo } from "./return-to.ts";

test("keeps a path of this page with its query", () => {
  expect(safeReturnTo("/device?user_code=ABCD")).toBe("/device?user_code=ABCD");
});

test.each(["https://evil.example/", "//evil.example/x", "/\\evil.example", "javascript:alert(1)", "", undefined, 7])(
  "never leaves this page: %s",
  (value) => {
    expect(safeReturnTo(value)).toBe("/");
  },
);
