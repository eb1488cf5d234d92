/** What a hostile Mosaic asks of this machine: read on the model server's own connection, byte for byte. */

import type { AddressInfo } from "node:net";
import { createServer, type Server } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import type { MachineRequest } from "../../../shared/client/connector/machine-streams.ts";
import { askUpstream } from "./ask-upstream.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

const STOLEN = "DELETE /api/delete HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";

/** A model server that answers late, and what came over its connections. */
async function aServer() {
  let raw = "";
  const server = createServer((socket) => {
    socket.on("data", (data) => {
      raw += data.toString("latin1");
    });
    socket.on("error", () => {});
    setTimeout(() => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"), 100);
  }).listen(0, "127.0.0.1");
  servers.push(server);
  await new Promise((resolve) => server.once("listening", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, raw: () => raw };
}

async function* body(...parts: string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield new TextEncoder().encode(part);
}

/** The same with a pause after each part, in which what was let through reaches the model server. */
async function* slowBody(...parts: string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    yield new TextEncoder().encode(part);
    await sleep(40);
  }
}

async function ask(change: Partial<MachineRequest>) {
  const { url, raw } = await aServer();
  const upstreams = [{ name: "ollama", kind: "ollama" as const, url }];
  const answer = await askUpstream(upstreams, "desk", {
    upstream: "ollama",
    method: "POST",
    path: "/api/chat",
    headers: [],
    body: null,
    signal: new AbortController().signal,
    ...change,
  });
  const words: string[] = [];
  for await (const chunk of answer.body) words.push(new TextDecoder().decode(chunk));
  return { status: answer.status, text: words.join(""), raw: raw() };
}

/** The parts of a chunked body, whatever their sizes: text that stands between frames of HTTP would be left out. */
function chunkedBody(raw: string): string {
  let rest = raw.slice(raw.indexOf("\r\n\r\n") + 4);
  let whole = "";
  for (;;) {
    const size = Number.parseInt(rest, 16);
    if (!(size > 0)) return whole;
    const at = rest.indexOf("\r\n") + 2;
    whole += rest.slice(at, at + size);
    rest = rest.slice(at + size + 2);
  }
}

describe("a request that is to hide another one behind it", () => {
  test("by a length that is too short does not put a byte more on the model server's connection", async () => {
    for (const parts of [[`{}   ${STOLEN}`], ["{}   ", STOLEN]]) {
      const { status, raw } = await ask({ headers: [["content-length", "5"]], body: slowBody(...parts) });
      expect([status, raw.includes("DELETE")]).toEqual([502, false]);
    }
  });

  test("by a length that is too long is broken off instead of waiting for the rest", async () => {
    const { status } = await ask({ headers: [["content-length", "50"]], body: slowBody("{}") });
    expect(status).toBe(502);
  });

  test("by a length that is none, or two of them, goes out in chunks", async () => {
    for (const lengths of [["5, 5"], ["+5"], ["0x5"], ["5 "], ["-1"], ["1e1"], ["9".repeat(30)], ["5", "6"]]) {
      const headers = lengths.map((length): [string, string] => ["content-length", length]);
      const { status, raw } = await ask({ headers, body: body("{}   ", STOLEN) });
      expect([lengths, status, /content-length/i.test(raw.split("\r\n\r\n")[0] ?? "")]).toEqual([lengths, 200, false]);
      expect(raw.toLowerCase()).toContain("transfer-encoding: chunked");
      expect(chunkedBody(raw)).toBe(`{}   ${STOLEN}`);
    }
  });

  test("by a body where none belongs arrives without it", async () => {
    for (const headers of [[], [["content-length", "5"]], [["content-length", String(STOLEN.length)]]] as [
      string,
      string,
    ][][]) {
      const { status, raw } = await ask({ method: "GET", path: "/api/tags", headers, body: body(STOLEN) });
      expect([status, raw.includes("DELETE"), /content-length/i.test(raw)]).toEqual([200, false, false]);
    }
  });
});

describe("a model that is to be fetched", () => {
  const pull = (text: string) =>
    ask({ path: "/api/pull", headers: [["content-length", String(text.length)]], body: body(text) });

  test.each(["qwen3", "qwen3:0.6b", "library/qwen3:latest", "some-one/My_Model.v2:q4_K_M"])(
    "comes from the registry that this machine's Ollama knows: %s",
    async (model) => {
      const { status, raw } = await pull(JSON.stringify({ model, stream: true }));
      expect([status, JSON.parse(raw.slice(raw.indexOf("\r\n\r\n") + 4))]).toEqual([200, { model, stream: true }]);
    },
  );

  test.each([
    { model: "192.168.1.1:5000/library/x" },
    { model: "router.lan/admin/x:y" },
    { model: "http://192.168.1.1/a/b" },
    { model: "https://evil.test/a" },
    { model: "localhost:5000/x" },
    { model: "evil.test/x" },
    { model: "hf.co/someone/x" },
    { model: "../x" },
    { model: "a/../b" },
    { model: "a\\b\\c" },
    { model: "//192.168.1.1/a" },
    { model: "a@sha256:0" },
    { model: "" },
    { model: "x".repeat(300) },
    { model: "x", insecure: true },
    { model: "x", name: "192.168.1.1/a/b" },
    { name: "192.168.1.1/a/b" },
    { MODEL: "192.168.1.1/a/b", model: "x" },
    { model: "x", username: "u" },
    { model: ["x"] },
    {},
    null,
    "x",
  ])("is refused here, and reaches nothing, where it says %j", async (said) => {
    const { status, text, raw } = await pull(JSON.stringify(said));
    expect([status, JSON.parse(text).code, raw]).toEqual([403, "forbidden", ""]);
  });

  test("is refused where what is said twice could be read another way, or is no JSON, or is too long", async () => {
    expect((await pull('{"model":"x"}{"model":"192.168.1.1/a/b"}')).raw).toBe("");
    expect((await pull("model=x")).raw).toBe("");
    expect((await pull(JSON.stringify({ model: "x", stream: true }) + " ".repeat(100_000))).raw).toBe("");
    // Whoever reads it there reads one name only: it is written anew here.
    const { raw } = await pull('{"model":"192.168.1.1/a/b","model":"x"}');
    expect(raw).not.toContain("192.168.1.1/a/b");
  });
});
