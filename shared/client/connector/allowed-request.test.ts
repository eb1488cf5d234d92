import { expect, test } from "vitest";
import { allowedUrl } from "./allowed-request.ts";

const ollama = { kind: "ollama", url: "http://127.0.0.1:11434" } as const;
const vllm = { kind: "openai-compatible", url: "http://10.0.0.2:8000/deep/v1" } as const;

test("a request goes below the configured address, and its version path stands in the place of /v1", () => {
  expect(allowedUrl(ollama, "POST", "/api/chat")?.href).toBe("http://127.0.0.1:11434/api/chat");
  expect(allowedUrl(ollama, "GET", "/api/tags?x=1")?.href).toBe("http://127.0.0.1:11434/api/tags?x=1");
  expect(allowedUrl(vllm, "POST", "/v1/chat/completions")?.href).toBe("http://10.0.0.2:8000/deep/v1/chat/completions");
  expect(allowedUrl(vllm, "GET", "/v1/models")?.href).toBe("http://10.0.0.2:8000/deep/v1/models");
});

test("nothing else is asked, however it is written", () => {
  const paths = [
    "/",
    "",
    "/api/delete",
    "/api/copy",
    "/api/create",
    "/api/push",
    "/api/blobs/sha256:0",
    "/api/chat/",
    "/api/chat/../delete",
    "/api//chat",
    "//evil.test/api/chat",
    "http://evil.test/api/chat",
    "@evil.test/api/chat",
    "/api/chat#x",
    "/api/chat?x#y",
    "/api/chat?x y",
    "/api/chat?\r\nhost: evil",
    "/%61pi/chat",
    "/API/CHAT",
    "/api/chat\\..\\delete",
    "constructor",
    "__proto__",
  ];
  for (const path of paths) {
    for (const method of ["GET", "POST", "DELETE", "PUT", "HEAD", "CONNECT", "constructor", "__proto__", ""]) {
      expect(allowedUrl(ollama, method, path), `${method} ${path}`).toBeNull();
      expect(allowedUrl(vllm, method, path), `${method} ${path}`).toBeNull();
    }
  }
  expect(allowedUrl(ollama, "GET", "/api/chat")).toBeNull();
  expect(allowedUrl(ollama, "DELETE", "/api/tags")).toBeNull();
  expect(allowedUrl(ollama, "POST", "/v1/chat/completions")).toBeNull();
  expect(allowedUrl(vllm, "POST", "/api/chat")).toBeNull();
});
