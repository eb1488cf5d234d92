import { timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import * as z from "zod";
import { type Backend, type BatchOptions, ROLES, type Role, SqlError, type SqlQuery } from "./backend.ts";

const LOOPBACK = "127.0.0.1";
const CLOSE_GRACE_MS = 2_000;
const MAX_BODY_BYTES = 64 * 1024 * 1024;

/** Scalars arrive as JSON's own types where a caller skipped the driver's conversion. */
const Param = z.union([z.string(), z.null(), z.union([z.number(), z.boolean()]).transform(String)]);
const Query = z.object({ query: z.string(), params: z.array(Param).default([]) });
const Body = z.union([z.object({ queries: z.array(Query) }), Query]);
const IsolationLevel = z.enum(["ReadUncommitted", "ReadCommitted", "RepeatableRead", "Serializable"]);

const ISOLATION: Record<z.infer<typeof IsolationLevel>, NonNullable<BatchOptions["isolationLevel"]>> = {
  ReadUncommitted: "READ UNCOMMITTED",
  ReadCommitted: "READ COMMITTED",
  RepeatableRead: "REPEATABLE READ",
  Serializable: "SERIALIZABLE",
};

/** Refused before the database was asked. */
class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export interface Endpoint {
  port: number;
  close(): Promise<void>;
}

/**
 * Serves Neon's SQL-over-HTTP protocol (`POST /sql`) on loopback, so that the Worker uses the same driver everywhere.
 * @param passwords - what each role must show
 * @throws when the port is taken
 */
export async function serveEndpoint(
  backend: Backend,
  port: number,
  passwords: Record<Role, string>,
): Promise<Endpoint> {
  const server = createServer((request, response) => {
    answer(backend, passwords, request, response).catch((error: unknown) => {
      console.error(`The database endpoint could not answer: ${String(error)}`);
      response.destroy();
    });
  });
  server.keepAliveTimeout = 60_000;
  await listen(server, port);
  return { port: portOf(server), close: () => close(server) };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, LOOPBACK, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    // What still runs may finish; a client that keeps its connection open must not keep the process.
    setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS).unref();
  });
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === "string") throw new Error("The database endpoint has no port.");
  return address.port;
}

async function answer(
  backend: Backend,
  passwords: Record<Role, string>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    if (request.url?.split("?")[0] !== "/sql") throw new Refusal(404, "", "Only /sql is served here.");
    if (request.method !== "POST") throw new Refusal(405, "", "Send queries with POST.");
    const role = signIn(request, passwords);
    const body = readBody(await receive(request));
    const result = body.batch
      ? { results: await backend.run(role, body.queries, batchOptions(request)) }
      : (await backend.run(role, body.queries, null))[0];
    send(response, 200, result);
  } catch (error) {
    sendFailure(response, error);
  }
}

function sendFailure(response: ServerResponse, error: unknown): void {
  if (error instanceof SqlError) {
    send(response, 400, { ...error.fields, message: error.message });
  } else if (error instanceof Refusal) {
    send(response, error.status, error.status === 400 ? { code: error.code, message: error.message } : error.message);
  } else {
    // Not 400: the driver then throws without a code, which is how callers tell "try again" from "bad data".
    const reason = error instanceof Error ? error.message || error.name : String(error);
    send(response, 503, `The database cannot be reached: ${reason}`);
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const type = typeof body === "string" ? "text/plain" : "application/json";
  response.writeHead(status, { "content-type": `${type}; charset=utf-8`, "content-length": Buffer.byteLength(text) });
  response.end(text);
}

function signIn(request: IncomingMessage, passwords: Record<Role, string>): Role {
  const header = request.headers["neon-connection-string"];
  const url = typeof header === "string" && URL.canParse(header) ? new URL(header) : null;
  if (!url) throw new Refusal(400, "08P01", "The Neon-Connection-String header is missing or is no URL.");
  const user = decodeURIComponent(url.username);
  const role = ROLES.find((name) => name === user);
  const given = Buffer.from(decodeURIComponent(url.password));
  const wanted = Buffer.from(role ? passwords[role] : "");
  if (role && given.length === wanted.length && timingSafeEqual(given, wanted)) return role;
  throw new Refusal(400, "28P01", `password authentication failed for user "${user}"`);
}

async function receive(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const buffer = Buffer.from(chunk);
    bytes += buffer.byteLength;
    if (bytes > MAX_BODY_BYTES) throw new Refusal(413, "", "The queries are larger than 64 MiB; send them in parts.");
    chunks.push(buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function readBody(text: string): { batch: boolean; queries: SqlQuery[] } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Refusal(400, "08P01", "The body is not valid JSON.");
  }
  const body = Body.safeParse(value);
  if (!body.success) throw new Refusal(400, "08P01", "The body is neither {query, params} nor {queries: [...]}.");
  const queries = "queries" in body.data ? body.data.queries : [body.data];
  if (queries.some(({ query }) => query.includes("\0"))) {
    throw new Refusal(400, "22021", 'invalid byte sequence for encoding "UTF8": 0x00');
  }
  return { batch: "queries" in body.data, queries };
}

function batchOptions(request: IncomingMessage): BatchOptions {
  const header = (name: string): string | undefined => {
    const value = request.headers[name];
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const level = IsolationLevel.safeParse(header("neon-batch-isolation-level"));
  const readOnly = header("neon-batch-read-only");
  const deferrable = header("neon-batch-deferrable");
  return {
    ...(level.success ? { isolationLevel: ISOLATION[level.data] } : {}),
    ...(readOnly === undefined ? {} : { readOnly: readOnly === "true" }),
    ...(deferrable === undefined ? {} : { deferrable: deferrable === "true" }),
  };
}
