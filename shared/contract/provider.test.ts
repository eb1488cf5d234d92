import { describe, expect, test } from "vitest";
import { CreateProvider, UpdateProvider } from "./provider.ts";

const created = (name: string) =>
  CreateProvider.safeParse({
    kind: "ollama",
    displayName: "mine",
    config: { baseUrl: "https://models.example", headers: { [name]: "x" } },
  }).success;
const changed = (name: string) => UpdateProvider.safeParse({ config: { headers: { [name]: "x" } } }).success;

describe("a header that is saved with an instance", () => {
  test.each([
    "host",
    "Connection",
    "content-length",
    "transfer-encoding",
    "keep-alive",
    "cookie",
    "Set-Cookie",
    "proxy-authorization",
    "Proxy-Connection",
    "sec-websocket-protocol",
    "Sec-Fetch-Site",
    "x-mosaic-dial-in",
    "X-Mosaic-Connector-Target",
    "x-mosaic-",
  ])("may not be %s, which is ours or the connection's to set", (name) => {
    expect([created(name), changed(name)]).toEqual([false, false]);
  });

  test.each(["cf-access-client-id", "CF-Access-Client-Secret", "x-api-key", "x-mosaicism", "second", "x-sec-1"])(
    "may be %s, for what stands in front of a model server",
    (name) => {
      expect([created(name), changed(name)]).toEqual([true, true]);
    },
  );
});
