/**
 * A model vendor for tests and measurements, shaped like Anthropic (`/v1/messages`) and OpenAI (`/v1/chat/completions`,
 * `/v1/responses`), with a script instead of a model. Written from the vendors' public formats, without our adapters.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import * as z from "zod";
import { type Behaviour, type FakeRequest, formatOf, type WireFormat } from "./fake-model-formats.ts";

export type { Behaviour, FakeRequest };

export interface FakeModelServer {
  /** Without `/v1`: what `ANTHROPIC_BASE_URL` wants. OpenAI's wants `${url}/v1`. */
  url: string;
  port: number;
  /** Every model request, oldest first; live objects. */
  journal: FakeRequest[];
  /** How to answer from now on. */
  always(behaviour: Behaviour): void;
  /** How to answer the next requests, one each; before `always`. */
  next(...behaviours: Behaviour[]): void;
  close(): Promise<void>;
}

const Content = z.union([z.string(), z.array(z.looseObject({ text: z.string().optional() }))]).nullish();
const Turn = z.looseObject({ role: z.string().optional(), content: Content.catch(undefined) });
const Body = z.looseObject({
  model: z.string().catch("unknown"),
  stream: z.boolean().catch(false),
  messages: z.array(Turn).optional().catch(undefined),
  input: z
    .union([z.string(), z.array(Turn)])
    .optional()
    .catch(undefined),
});
type Body = z.infer<typeof Body>;

const LISTED = ["claude-sonnet-4-6", "claude-opus-4-6", "claude-haiku-4-5", "gpt-5.4"];
const MAX_BODY_BYTES = 32 * 1024 * 1024;

function textOf(content: z.infer<typeof Content>): string {
  if (typeof content === "string") return content;
  return (content ?? []).flatMap((part) => part.text ?? []).join("\n");
}

function lastUserText(body: Body): string {
  if (typeof body.input === "string") return body.input;
  return textOf((body.messages ?? body.input ?? []).findLast((turn) => turn.role === "user")?.content);
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > MAX_BODY_BYTES) throw new Error("too large");
    chunks.push(bytes);
  }
  return JSON.parse(Buffer.concat(chunks).toString("utf8"));
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Words with the space before them, so that joined they are the text. */
function wordsOf(text: string): string[] {
  return text.match(/\s*\S+|\s+$/g) ?? [];
}

function wordsFor(behaviour: Behaviour, request: FakeRequest): string[] {
  const { reply, tokens } = behaviour;
  if (tokens !== undefined)
    return Array.from({ length: tokens }, (_unused, index) => (index === 0 ? "t0" : ` t${index}`));
  if (typeof reply === "function") return wordsOf(reply(request));
  return wordsOf(reply ?? `You said: ${request.lastUserText}`);
}

function sendJson(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

async function play(
  response: ServerResponse,
  format: WireFormat,
  behaviour: Behaviour,
  record: FakeRequest,
): Promise<void> {
  const answer = { model: record.model, behaviour, inputTokens: Math.ceil(JSON.stringify(record.body).length / 4) };
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  // Each token must leave at once: a measurement would see Nagle's delay instead of ours.
  response.socket?.setNoDelay(true);
  response.write(format.open(answer));
  for (const word of wordsFor(behaviour, record)) {
    if (behaviour.cutAfterTokens === record.tokensSent) {
      response.destroy();
      return;
    }
    if (behaviour.hangAfterTokens === record.tokensSent) return;
    if (behaviour.delayMs) await wait(behaviour.delayMs);
    if (response.destroyed) return;
    behaviour.onToken?.();
    response.write(format.token(word, answer));
    record.tokensSent += 1;
  }
  response.end(format.close(answer, record.tokensSent));
}

class Fake {
  readonly journal: FakeRequest[] = [];
  readonly #queue: Behaviour[] = [];
  #always: Behaviour = {};

  always(behaviour: Behaviour): void {
    this.#always = behaviour;
  }

  next(...behaviours: Behaviour[]): void {
    this.#queue.push(...behaviours);
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? "/", "http://fake").pathname;
    if (request.method === "GET" && path.endsWith("/models")) {
      return sendJson(response, 200, {
        object: "list",
        data: LISTED.map((id) => ({ id, type: "model", object: "model" })),
      });
    }
    const format = request.method === "POST" ? formatOf(path) : undefined;
    if (!format) return sendJson(response, 404, { error: { type: "not_found_error", message: `No ${path} here.` } });
    const raw = await readBody(request);
    const body = Body.parse(raw);
    const { model } = body;
    const record: FakeRequest = {
      path,
      model,
      lastUserText: lastUserText(body),
      headers: request.headers,
      body: raw,
      receivedAt: Date.now(),
      aborted: false,
      tokensSent: 0,
    };
    this.journal.push(record);
    response.on("close", () => {
      record.aborted = !response.writableFinished;
    });
    await this.#answer(response, format, body, record);
  }

  async #answer(response: ServerResponse, format: WireFormat, body: Body, record: FakeRequest): Promise<void> {
    const behaviour = this.#queue.shift() ?? this.#always;
    if (behaviour.hangBeforeHeaders) return;
    if (behaviour.headersDelayMs) await wait(behaviour.headersDelayMs);
    if (behaviour.status !== undefined) {
      const headers =
        behaviour.retryAfterSeconds === undefined ? {} : { "retry-after": String(behaviour.retryAfterSeconds) };
      return sendJson(response, behaviour.status, format.error(behaviour.status), headers);
    }
    if (body.stream) return await play(response, format, behaviour, record);
    const words = wordsFor(behaviour, record);
    record.tokensSent = words.length;
    sendJson(
      response,
      200,
      format.whole(words.join(""), { model: record.model, behaviour, inputTokens: 1 }, words.length),
    );
  }
}

async function listen(server: Server, port: number, host: string): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The fake model server has no port.");
  return address.port;
}

/** Starts the server on a free port of loopback, unless told otherwise. */
export async function startFakeModelServer(
  options: Behaviour & { port?: number; host?: string } = {},
): Promise<FakeModelServer> {
  const { port: wantedPort = 0, host = "127.0.0.1", ...behaviour } = options;
  const fake = new Fake();
  fake.always(behaviour);
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    fake.handle(request, response).catch(() => {
      if (!response.headersSent)
        sendJson(response, 400, { error: { type: "invalid_request_error", message: "Not JSON." } });
      else response.destroy();
    });
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  const port = await listen(server, wantedPort, host);
  return {
    url: `http://${host}:${port}`,
    port,
    journal: fake.journal,
    always: (next) => fake.always(next),
    next: (...next) => fake.next(...next),
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
