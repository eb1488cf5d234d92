import { expect, test } from "vitest";
import { safeImage, safeLink } from "./safe-url.ts";

const HERE = "https://mosaic.example";

test.each(["https://example.com/a?b#c", "http://example.com", "mailto:a@example.com", " https://example.com "])(
  "links to %s",
  (url) => {
    expect(safeLink(url)).toBe(url.trim());
  },
);

test.each([
  "javascript:alert(1)",
  "JaVaScRiPt:alert(1)",
  " javascript:alert(1)",
  "java\nscript:alert(1)",
  "data:text/html,<script>1</script>",
  "vbscript:x",
  "file:///etc/passwd",
  "//evil.example",
  "/api/conversations",
  "blob:https://x/y",
  "https://",
])("never links to %j", (url) => {
  expect(safeLink(url)).toBeNull();
});

test.each(["data:image/png;base64,iVBORw0KGgo=", `${HERE}/api/files/1`, "/api/files/1"])(
  "shows the image %s",
  (url) => {
    expect(safeImage(url, HERE)).not.toBeNull();
  },
);

test.each([
  "https://evil.example/p.png?secret",
  "//evil.example/p.png",
  "http://mosaic.example/api/files/1",
  "/api/auth/sign-out",
  "/api/files/../auth/sign-out",
  "data:image/svg+xml;base64,PHN2Zz4=",
  "data:text/html;base64,PGI+",
  "javascript:alert(1)",
])("never loads the image %s", (url) => {
  expect(safeImage(url, HERE)).toBeNull();
});
