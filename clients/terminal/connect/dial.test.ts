import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { WebSocketServer } from "ws";
import { CONNECTOR_PROTOCOL, MAX_STREAMS, PING_EVERY_MS } from "../../../shared/contract/connector-frames.ts";
import { dial } from "./dial.ts";

vi.setConfig({ testTimeout: 60_000 });

const ROUNDS = 200;

test("a server that asks and asks and does not read is left, before its answers fill the memory", async () => {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => CONNECTOR_PROTOCOL });
  await once(server, "listening");
  let served = 0;
  const ending = dial({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bearer: "b",
    enrol: null,
    upstreams: [],
    version: "1",
    signal: new AbortController().signal,
    serve: async () => {
      served++;
      return { status: 200, headers: [["x", "y".repeat(60_000)]], body: (async function* () {})() };
    },
    welcomed: () => {},
  });
  let hasEnded = false;
  void ending.then(() => {
    hasEnded = true;
  });
  const [socket] = await once(server, "connection");
  socket.on("error", () => {});
  socket.pause();
  let rounds = 0;
  for (let stream = 1; rounds < ROUNDS && !hasEnded; rounds++) {
    const before = served;
    const ids = Array.from({ length: MAX_STREAMS }, () => stream++);
    for (const id of ids) {
      const open = { type: "open", stream: id, upstream: "x", method: "GET", path: "/", headers: [], hasBody: false };
      socket.send(JSON.stringify(open));
    }
    while (!hasEnded && served < before + MAX_STREAMS) await turn();
    for (const id of ids) socket.send(JSON.stringify({ type: "reset", stream: id, message: "m" }));
  }
  const ended = hasEnded ? await ending : null;
  socket.terminate();
  server.close();
  expect(rounds).toBeLessThan(ROUNDS);
  expect(ended).toEqual({
    status: null,
    code: 1006,
    verdict: null,
    reason: "the server does not read what it asks for",
  });
});

test("a server that answers one ping too few is kept, and one that answers two in a row with nothing is left", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => CONNECTOR_PROTOCOL });
  await once(server, "listening");
  const connecting = once(server, "connection");
  const ending = dial({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bearer: "b",
    enrol: null,
    upstreams: [],
    version: "1",
    signal: new AbortController().signal,
    serve: () => Promise.reject(new Error("nothing is asked")),
    welcomed: () => {},
  });
  const [socket] = await connecting;
  await once(socket, "message");
  const ping = async (): Promise<void> => {
    const heard = once(socket, "message");
    vi.advanceTimersByTime(PING_EVERY_MS);
    await heard;
  };
  await ping();
  await ping();
  socket.send("pong");
  // Told after the pong, it is read after it.
  const pong = once(socket, "pong");
  socket.ping();
  await pong;
  await ping();
  await ping();
  vi.advanceTimersByTime(PING_EVERY_MS);
  expect((await ending).code).toBe(1006);
  vi.useRealTimers();
  server.close();
});
