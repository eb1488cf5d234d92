import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WebSocketServer } from "ws";
import { type ConnectorCredential, connectorCredential } from "../../../shared/contract/connector-credentials.ts";
import { CONNECTOR_PROTOCOL, CONNECTOR_PROTOCOL_VERSION } from "../../../shared/contract/connector-frames.ts";
import type { ErrorCode } from "../../../shared/contract/errors.ts";
import { CLOSE } from "../../../shared/contract/frames.ts";
import { runConnect } from "./run-connect.ts";

const DESK = "11111111-1111-7111-8111-111111111111";
const OTHER = "22222222-2222-7222-8222-222222222222";
const SECRET = "A".repeat(43);
const STAMP = "C".repeat(43);

interface Answer {
  status?: number;
  /** Mosaic's own; else a proxy's page. */
  code?: ErrorCode;
  /** Welcomed as this connector, and then closed with `close`. */
  welcome?: string;
  stamp?: string;
  close?: number;
}

const LAST: Answer = { welcome: DESK, close: CLOSE.revoked };

let folder: string;
let server: Server;
let url: string;
let answers: Answer[];
let bearers: string[];
let said: string[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "mosaic-connect-"));
  [answers, bearers, said] = [[], [], []];
  server = createServer((_request, response) => response.writeHead(200).end("{}")).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => CONNECTOR_PROTOCOL });
  server.on("upgrade", (request, socket, head) => {
    bearers.push(request.headers.authorization?.replace("Bearer ", "") ?? "");
    const { status, code, welcome = DESK, stamp = STAMP, close = 1000 } = answers.shift() ?? LAST;
    if (status !== undefined) return refuse(socket, status, code);
    sockets.handleUpgrade(request, socket, head, (machine) => {
      machine.once("message", () => {
        const features: string[] = [];
        const frame = {
          type: "welcome",
          protocol: CONNECTOR_PROTOCOL_VERSION,
          features,
          connectorId: welcome,
          stamp,
          name: "desk",
        };
        machine.send(JSON.stringify(frame));
        machine.close(close, "because");
      });
    });
  });
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

function refuse(socket: Duplex, status: number, code: ErrorCode | undefined): void {
  const problem = {
    type: "about:blank",
    title: "No",
    status,
    detail: "Mosaic says no.",
    code,
    requestId: "r",
    retryable: false,
  };
  const [type, body] = code ? ["application/problem+json", JSON.stringify(problem)] : ["text/html", "<h1>No</h1>"];
  const head = `HTTP/1.1 ${status} No\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n`;
  socket.end(head + body);
}

const path = (): string => join(folder, "mosaic", "connector.json");
const known = (): unknown => JSON.parse(readFileSync(path(), "utf8")).servers[url];
const bearerOf = (credential: ConnectorCredential): string => connectorCredential(credential);
const lasting = bearerOf({ kind: "secret", connectorId: DESK, stamp: STAMP, secret: SECRET });
const token = bearerOf({ kind: "token", connectorId: OTHER, secret: "B".repeat(43) });
const desk = { name: "desk", secret: SECRET, connectorId: DESK, stamp: STAMP };

function enrolled(): void {
  mkdirSync(join(folder, "mosaic"), { recursive: true });
  writeFileSync(path(), JSON.stringify({ upstreams: [], servers: { [url]: desk } }));
}

/** @returns the sentence that it ended with */
async function connect(given: { token?: string; name?: string } = {}): Promise<string> {
  const end = runConnect(
    { url, token: given.token },
    { kind: "connect", help: false, name: given.name, ollama: undefined },
    { env: { XDG_CONFIG_HOME: folder }, say: (line) => said.push(line) },
  );
  return await end.then(String, (error: Error) => error.message);
}

describe("a machine that is known", () => {
  test.each([400, 401, 403, 404, 409, 502])("dials again when a proxy's page says %s", async (status) => {
    enrolled();
    answers = [{ status }, { status }];
    expect(await connect()).toContain("ended for good");
    expect(bearers).toEqual([lasting, lasting, lasting]);
    expect(known()).toEqual(desk);
    expect(said.join("\n")).toContain(`the server answered ${status}`);
  });

  test.each(["rate_limited", "database_unavailable", "internal", "busy"] as const)(
    "dials again when Mosaic itself cannot at the moment: %s",
    async (code) => {
      enrolled();
      answers = [{ status: 503, code }];
      expect(await connect()).toContain("ended for good");
      expect(known()).toEqual(desk);
    },
  );

  test.each([
    ["forbidden", 403],
    ["invalid_request", 400],
    ["not_found", 404],
  ] as const)("ends with Mosaic's sentence when it says %s, and keeps its secret", async (code, status) => {
    enrolled();
    answers = [{ status, code }];
    expect(await connect()).toBe("Mosaic says no.");
    expect(bearers).toHaveLength(1);
    expect(known()).toEqual(desk);
  });

  test("forgets its secret when Mosaic says that it does not know it, and says what to do", async () => {
    enrolled();
    answers = [{ status: 401, code: "unauthenticated" }];
    expect(await connect()).toContain("run `npx mosaic connect` again");
    expect(known()).toBeUndefined();
  });

  test("forgets its secret when it was removed", async () => {
    enrolled();
    answers = [{ welcome: DESK, close: CLOSE.deleted }];
    expect(await connect()).toContain("was removed");
    expect(known()).toBeUndefined();
  });
});

describe("a machine that asks to be known anew", () => {
  test("keeps the secret that it has when it is refused", async () => {
    enrolled();
    answers = [{ status: 401, code: "unauthenticated" }];
    await connect({ token });
    expect(bearers).toEqual([token]);
    expect(known()).toEqual(desk);
    await connect();
    expect(bearers.at(-1)).toBe(lasting);
  });

  test("is known as what it was welcomed as, and by that from then on", async () => {
    enrolled();
    answers = [{ welcome: OTHER }, { status: 403, code: "forbidden" }];
    await connect({ token });
    expect(known()).toMatchObject({ name: "desk", connectorId: OTHER });
    const { secret } = known() as typeof desk;
    expect(secret).not.toBe(SECRET);
    expect(bearers).toEqual([token, bearerOf({ kind: "secret", connectorId: OTHER, stamp: STAMP, secret })]);
  });

  test("that is welcomed with another stamp shows that one from then on, with the secret that it has", async () => {
    enrolled();
    const stamp = "D".repeat(43);
    answers = [{ stamp }, { stamp }, { stamp, close: CLOSE.revoked }];
    await connect();
    const other = bearerOf({ kind: "secret", connectorId: DESK, stamp, secret: SECRET });
    expect(bearers).toEqual([lasting, other, other]);
    expect(known()).toEqual({ ...desk, stamp });
  });

  test("hears why a token is refused, and is not told that it was known", async () => {
    answers = [{ status: 401, code: "unauthenticated" }];
    expect(await connect({ token })).toBe("Mosaic says no.");
  });

  test("that got another name than it asked for says so, and is the same machine when it asks for that name again", async () => {
    answers = [{ welcome: OTHER }, { status: 403, code: "forbidden" }];
    await connect({ token, name: "laptop" });
    expect(said.join("\n")).toContain('This machine is called "desk"');
    const first = known() as typeof desk;
    expect(first).toMatchObject({ name: "desk", askedAs: "laptop" });
    answers = [
      { welcome: OTHER, stamp: "D".repeat(43) },
      { status: 403, code: "forbidden" },
    ];
    await connect({ token, name: "laptop" });
    expect(known()).toEqual({ ...first, stamp: "D".repeat(43) });
  });

  test("shows the same secret again after it ended half-way", async () => {
    answers = [{ status: 403, code: "forbidden" }];
    await connect({ token, name: "desk" });
    const shown = JSON.parse(readFileSync(path(), "utf8"));
    answers = [{ welcome: OTHER }, { status: 403, code: "forbidden" }];
    await connect({ token, name: "desk" });
    expect(JSON.stringify(shown)).toContain((known() as typeof desk).secret);
  });
});
