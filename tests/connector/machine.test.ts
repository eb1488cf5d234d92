/** A machine that dialled in, asked straight past the adapters: everything on the way is real. */
import { randomBytes } from "node:crypto";
import { statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import * as z from "zod";
import { type House, startHouse } from "../../bench/house/house.ts";
import { connectorCredential, ENROL_HEADER } from "../../shared/contract/connector-credentials.ts";
import { ConnectorProcess } from "./connector-process.ts";
import { type FakeOllama, MODEL, rawByte, startFakeOllama, wordsOf } from "./fake-ollama.ts";
import { eventually, Machine, Person } from "./stage.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 240_000 });

let house: House;
let ollama: FakeOllama;
let ada: Person;
let eve: Person;
let desk: Machine;

beforeAll(async () => {
  [house, ollama] = await Promise.all([startHouse(), startFakeOllama({ name: "desk" })]);
  ada = await Person.signUp(house.url);
  eve = await Person.signUp(house.url);
  desk = await ada.connect("desk", ollama);
});
afterAll(async () => {
  await desk?.remove();
  await house?.stop();
  await ollama?.close();
});

const post = (body: object): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});

describe("what a machine offers", () => {
  test("is asked through it: tags, show, version, embed, chat that streams, pull with progress", async () => {
    expect(await (await desk.ask("/api/tags")).json()).toMatchObject({ models: [{ name: MODEL }, {}] });
    expect(await (await desk.ask("/api/version")).json()).toEqual({ version: "0.12.0" });
    expect(await (await desk.ask("/api/show", post({ model: MODEL }))).json()).toHaveProperty("capabilities");
    const embedded = z
      .object({ embeddings: z.array(z.array(z.number())) })
      .parse(await (await desk.ask("/api/embed", post({ model: "nomic", input: ["a", "b"] }))).json());
    expect(embedded.embeddings.map(({ length }) => length)).toEqual([768, 768]);
    const chat = await (await desk.ask("/api/chat", post({ model: MODEL, messages: [] }))).text();
    const words = chat
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).message.content);
    expect(words.join("")).toBe(wordsOf("desk", 20).join(""));
    const pulled = await (await desk.ask("/api/pull", post({ model: MODEL }))).text();
    expect(pulled.trimEnd().split("\n")).toHaveLength(5);
  });

  test("is all there is: other paths, other methods and other names reach nothing", async () => {
    const before = ollama.asked.length;
    expect((await desk.ask("/api/delete", { method: "DELETE" })).status).toBe(403);
    expect((await desk.ask("/api/delete", post({ model: MODEL }))).status).toBe(403);
    expect((await desk.ask("/api/blobs/sha256:0")).status).toBe(403);
    expect(ollama.asked).toHaveLength(before);
  });
});

describe("bodies", () => {
  test("of twenty requests at once arrive byte for byte", async () => {
    const sizes = Array.from({ length: 20 }, (_, index) => 700_000 + index * 4_321);
    const bodies = await Promise.all(
      sizes.map(async (size) => new Uint8Array(await (await desk.ask(`/api/tags?bytes=${size}`)).arrayBuffer())),
    );
    for (const [index, body] of bodies.entries()) {
      expect(body.byteLength).toBe(sizes[index]);
      expect(body.every((byte, at) => byte === rawByte(at % (1 << 20)))).toBe(true);
    }
  });

  test("that nobody reads hold back only themselves, and end at the model server when they are given up", async () => {
    const stop = new AbortController();
    const before = ollama.cut;
    const unread = await Promise.all(
      Array.from({ length: 3 }, () => desk.ask("/api/tags?bytes=endless", { signal: stop.signal })),
    );
    expect(unread.map(({ status }) => status)).toEqual([200, 200, 200]);
    for (let round = 0; round < 5; round++) expect((await desk.ask("/api/version")).status).toBe(200);
    expect(ollama.cut).toBe(before);
    stop.abort();
    await vi.waitFor(() => expect(ollama.cut).toBe(before + 3), { timeout: 20_000 });
  });
});

describe("a machine", () => {
  test("keeps its secret where only its person reads it", () => {
    const file = statSync(join(desk.home.path, "config", "mosaic", "connector.json"));
    expect(file.mode & 0o777).toBe(0o600);
    expect(desk.process.output).not.toContain(desk.saved.secret);
    expect(desk.process.output).not.toContain(ada.token);
  });

  test("whose model server is down says so", async () => {
    const attic = await ada.connect("attic", { ...ollama, url: "http://127.0.0.1:9" });
    const answer = await attic.ask("/api/tags");
    expect([answer.status, await answer.json()]).toMatchObject([
      502,
      { detail: expect.stringContaining("start it there") },
    ]);
    await attic.remove();
  });

  test("that was killed breaks its answers off, and is back by itself when it is started again", async () => {
    const answer = await desk.ask("/api/tags?bytes=endless");
    const reading = answer.arrayBuffer();
    await desk.process.end("SIGKILL");
    await expect(reading).rejects.toThrow();
    expect(await (await desk.ask("/api/version")).json()).toMatchObject({ code: "connector_offline", machine: "desk" });
    desk.restart();
    await desk.process.says("Connected to");
    expect((await desk.ask("/api/version")).status).toBe(200);
  });

  test("comes back by itself after the Workers runtime was killed, also while Postgres is away", async () => {
    await house.stopDatabase();
    process.kill(house.workerdPid, "SIGKILL");
    await desk.process.says("Not connected to");
    await desk.process.says("Connected to", 2);
    expect((await desk.ask("/api/version")).status).toBe(200);
    await house.startDatabase();
  });

  test("ends cleanly at Ctrl+C, and is shown as away", async () => {
    const shed = await ada.connect("shed", ollama);
    expect(await shed.process.end("SIGINT")).toBe(0);
    expect((await shed.ask("/api/version")).status).toBe(503);
    await shed.remove();
  });

  test("that dials in a second time takes over, and the first one ends and says why", async () => {
    const first = desk.process;
    desk.restart();
    await desk.process.says("Connected to");
    expect(await first.ended()).toBe(1);
    expect(first.output).toContain("took over");
    expect((await desk.ask("/api/version")).status).toBe(200);
  });
});

describe("a one-time token", () => {
  const Created = z.object({ id: z.string(), token: z.string() });

  test("connects one machine: with its secret again, with another never", async () => {
    const created = Created.parse(await (await ada.request("POST", "/api/connectors", { name: "loft" })).json());
    const loft = await ada.connect("loft", ollama, created.token);
    expect(loft.saved.connectorId).toBe(created.id);
    const again = await dial(`Bearer ${created.token}`, { [ENROL_HEADER]: loft.saved.secret });
    expect(again).toBe(101);
    const thief = await dial(`Bearer ${created.token}`, { [ENROL_HEADER]: randomBytes(32).toString("base64url") });
    expect(thief).toBe(401);
    await loft.remove();
  });

  test("that nobody made connects nothing", async () => {
    const { connectorId, stamp } = desk.saved;
    const secret = randomBytes(32).toString("base64url");
    for (const credential of [
      connectorCredential({ kind: "token", connectorId, secret }),
      connectorCredential({ kind: "secret", connectorId, stamp, secret }),
      connectorCredential({ kind: "secret", connectorId, stamp: secret, secret: desk.saved.secret.replace(/^./, "_") }),
    ]) {
      expect(await dial(`Bearer ${credential}`, { [ENROL_HEADER]: secret })).toBe(401);
    }
    expect((await desk.ask("/api/version")).status).toBe(200);
  });
});

describe("somebody else", () => {
  test("reaches a machine by none of its ids, and learns nothing of it", async () => {
    const { connectorId } = desk.saved;
    expect((await eve.request("DELETE", `/api/connectors/${connectorId}`)).status).toBe(404);
    expect(await eve.connectors()).toEqual([]);
    const config = { connectorId, upstream: "ollama" };
    const mine = { kind: "ollama", displayName: "mine", scope: "user", config };
    expect((await eve.request("POST", "/api/providers", mine)).status).toBe(404);
    const past = await desk.ask("/api/tags", {}, eve.account.userId);
    expect([past.status, await past.text()]).toEqual([503, expect.not.stringContaining("desk")]);
    // Her own machine of the same name is another one.
    const hers = await eve.connect("desk", { ...ollama, url: "http://127.0.0.1:9" });
    expect(hers.saved.connectorId).not.toBe(connectorId);
    expect((await desk.ask("/api/version")).status).toBe(200);
    await hers.remove();
  });

  test("with a cookie opens no machine's socket: it is no sign-in there", async () => {
    const headers = { cookie: `better-auth.session_token=${ada.token}`, [ENROL_HEADER]: "s".repeat(43) };
    expect(await dial(undefined, headers, "?name=x")).toBe(401);
  });
});

describe("a connector that is removed", () => {
  test("is closed for good, and its program says what to do", async () => {
    const barn = await ada.connect("barn", ollama);
    const { connectorId, stamp, secret } = barn.saved;
    await eventually("the machine in the list", async () =>
      (await ada.connectors()).some(({ id, state }) => id === connectorId && state === "online"),
    );
    expect((await ada.request("DELETE", `/api/connectors/${connectorId}`)).status).toBe(204);
    expect(await barn.process.ended()).toBe(1);
    expect(barn.process.output).toContain("was removed");
    expect(await dial(`Bearer ${connectorCredential({ kind: "secret", connectorId, stamp, secret })}`, {})).toBe(401);
    await barn.remove();
  });
});

test("an address without a Mosaic, and a token that is none, end the program with one line", async () => {
  const machine = new Machine(ada, "x", ["--token", "mosaic_nonsense"]);
  expect(await machine.process.ended()).toBe(1);
  expect(machine.process.output.trim().split("\n")).toHaveLength(1);
  const wrong = new ConnectorProcess(machine.home, ["--ollama", "not an address"]);
  expect(await wrong.ended()).toBe(2);
  await machine.remove();
});

/** @returns the status that an upgrade is answered with */
function dial(authorization: string | undefined, headers: Record<string, string>, query = ""): Promise<number> {
  const address = `${house.url.replace("http", "ws")}/api/connectors/socket${query}`;
  const socket = new WebSocket(address, ["mosaic.connector.v1"], {
    headers: { ...headers, ...(authorization && { authorization }) },
  });
  return new Promise((resolve) => {
    socket.on("error", () => {});
    socket.on("open", () => {
      resolve(101);
      socket.close();
    });
    socket.on("unexpected-response", (_request, response) => {
      resolve(response.statusCode ?? 0);
      void sleep(0).then(() => socket.terminate());
    });
  });
}
