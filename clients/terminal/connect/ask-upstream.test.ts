import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { MachineAnswer, MachineRequest } from "../../../shared/client/connector/machine-streams.ts";
import { askUpstream } from "./ask-upstream.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function aServer(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(handle).listen(0, "127.0.0.1");
  servers.push(server);
  await new Promise((resolve) => server.once("listening", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function* body(...parts: string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield new TextEncoder().encode(part);
}

const asked = (change: Partial<MachineRequest> = {}): MachineRequest => ({
  upstream: "ollama",
  method: "GET",
  path: "/api/tags",
  headers: [],
  body: null,
  signal: new AbortController().signal,
  ...change,
});

const upstreamAt = (url: string, headers?: Record<string, string>) => [
  { name: "ollama", kind: "ollama" as const, url, ...(headers ? { headers } : {}) },
];

async function read(answer: MachineAnswer): Promise<string> {
  let whole = "";
  for await (const chunk of answer.body) whole += new TextDecoder().decode(chunk);
  return whole;
}

describe("a request to a model server of this machine", () => {
  test("arrives with its body and its length, and with the headers of the configuration alone added", async () => {
    let seen: [string | undefined, IncomingMessage["headers"], string] | undefined;
    const url = await aServer((request, response) => {
      let text = "";
      request.on("data", (data) => {
        text += String(data);
      });
      request.on("end", () => {
        seen = [request.url, request.headers, text];
        response.writeHead(200, { "content-type": "application/json", "set-cookie": "a=b" }).end("{}");
      });
    });
    const answer = await askUpstream(
      upstreamAt(url, { authorization: "Bearer of-this-machine" }),
      "desk",
      asked({
        method: "POST",
        path: "/api/chat",
        headers: [
          ["content-type", "application/json"],
          ["content-length", "8"],
          ["authorization", "Bearer of-the-stack"],
          ["cookie", "a=b"],
          ["host", "evil.test"],
        ],
        body: body('{"a":', "12}"),
      }),
    );
    expect([answer.status, await read(answer)]).toEqual([200, "{}"]);
    expect(answer.headers.map(([name]) => name)).not.toContain("set-cookie");
    expect(seen?.[0]).toBe("/api/chat");
    expect(seen?.[2]).toBe('{"a":12}');
    expect(seen?.[1]).toMatchObject({ authorization: "Bearer of-this-machine", "content-length": "8" });
    expect(seen?.[1].cookie).toBeUndefined();
    expect(seen?.[1].host).toBe(new URL(url).host);
  });

  test("streams: the first bytes are here before the answer is over", async () => {
    let finish = (): void => {};
    const url = await aServer((_request, response) => {
      response.write("first");
      finish = () => void response.end("second");
    });
    const answer = await askUpstream(upstreamAt(url), "desk", asked());
    const reader = answer.body[Symbol.asyncIterator]();
    expect(new TextDecoder().decode((await reader.next()).value)).toBe("first");
    finish();
    expect(new TextDecoder().decode((await reader.next()).value)).toBe("second");
  });

  test("ends there when nobody waits any more, before and in the middle of the answer", async () => {
    let ended = 0;
    const url = await aServer((request, response) => {
      response.on("close", () => ended++);
      if (request.url === "/api/tags") response.write("first");
    });
    const stop = new AbortController();
    const early = askUpstream(upstreamAt(url), "desk", asked({ path: "/api/ps", signal: stop.signal }));
    const answer = await askUpstream(upstreamAt(url), "desk", asked({ signal: stop.signal }));
    const reader = answer.body[Symbol.asyncIterator]();
    await reader.next();
    stop.abort();
    await expect(reader.next()).rejects.toThrow("broke off");
    await early;
    await vi.waitFor(() => expect(ended).toBe(2));
  });

  test("that breaks off there breaks off here", async () => {
    const url = await aServer((_request, response) => {
      response.write("first", () => response.destroy());
    });
    const answer = await askUpstream(upstreamAt(url), "desk", asked());
    await expect(read(answer)).rejects.toThrow('"ollama" on that machine broke off');
  });

  test("to a server that is down is answered with what to do", async () => {
    const answer = await askUpstream(upstreamAt("http://127.0.0.1:9"), "desk", asked());
    expect(answer.status).toBe(502);
    expect(JSON.parse(await read(answer))).toMatchObject({
      code: "provider_failed",
      detail: '"ollama" does not answer on "desk" at http://127.0.0.1:9; start it there.',
      machine: "desk",
    });
  });

  test("is not sent on where the server points elsewhere", async () => {
    let reached = 0;
    const elsewhere = await aServer((_request, response) => {
      reached++;
      response.end();
    });
    const url = await aServer((_request, response) => {
      response.writeHead(302, { location: elsewhere }).end();
    });
    const answer = await askUpstream(upstreamAt(url), "desk", asked());
    expect([answer.status, await read(answer)]).toEqual([502, expect.stringContaining("redirects")]);
    expect(reached).toBe(0);
  });

  test("that the configuration does not name, or that no machine allows, reaches nothing", async () => {
    let reached = 0;
    const url = await aServer((_request, response) => {
      reached++;
      response.end();
    });
    const refused = [
      asked({ upstream: "vllm" }),
      asked({ method: "DELETE", path: "/api/delete" }),
      asked({ path: "http://elsewhere.test/api/tags" }),
      asked({ path: "//elsewhere.test/api/tags" }),
      asked({ path: "/api/../secret" }),
    ];
    for (const request of refused) {
      const answer = await askUpstream(upstreamAt(url), "desk", request);
      expect([503, 403]).toContain(answer.status);
    }
    expect(reached).toBe(0);
  });
});
