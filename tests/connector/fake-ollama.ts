/**
 * An Ollama for tests and measurements, from its public API: tags, show, ps, version, chat, embed and pull with
 * progress, with a script instead of models. `node tests/connector/fake-ollama.ts` runs it as a process of its own.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";

const Chat = z.looseObject({
  model: z.string(),
  stream: z.boolean().default(true),
  messages: z.array(z.looseObject({ role: z.string(), content: z.string().default("") })),
});
const Embed = z.looseObject({ model: z.string(), input: z.union([z.string(), z.array(z.string())]) });
const Pull = z.looseObject({ model: z.string() });

export const MODEL = "qwen3:4b";
export const EMBEDDING_MODEL = "nomic-embed-text:latest";

export interface FakeOllamaOptions {
  port?: number;
  host?: string;
  /** What the answer says first, so that one server is told from another. */
  name?: string;
  /** Words in an answer. */
  words?: number;
  /** Between two of them. */
  delayMs?: number;
  /** Every word is the moment at which it was sent, as `performance.now()` of this process. */
  stamped?: boolean;
}

export interface FakeOllama {
  url: string;
  /** Paths asked for, oldest first. */
  asked: string[];
  /** Answers that were cut before their end. */
  readonly cut: number;
  close(): Promise<void>;
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return JSON.parse(text);
}

function line(response: ServerResponse, value: object): void {
  response.write(`${JSON.stringify(value)}\n`);
}

export const wordsOf = (name: string, count: number): string[] => [
  name,
  ...Array.from({ length: count }, (_, index) => ` w${index}`),
];

async function chat(
  body: unknown,
  response: ServerResponse,
  { name = "ollama", words = 20, delayMs = 0, stamped = false }: FakeOllamaOptions,
) {
  const { model, stream } = Chat.parse(body);
  const base = { model, created_at: "2026-11-21T12:00:00Z" };
  const done = { ...base, done: true, done_reason: "stop", prompt_eval_count: 7, eval_count: words };
  const all = wordsOf(name, words);
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  if (!stream) {
    line(response, { ...done, message: { role: "assistant", content: all.join("") } });
    response.end();
    return;
  }
  for (const word of all) {
    if (response.destroyed) return;
    const content = stamped ? String(performance.now()) : word;
    line(response, { ...base, message: { role: "assistant", content }, done: false });
    if (delayMs > 0) await sleep(delayMs);
  }
  line(response, { ...done, message: { role: "assistant", content: "" } });
  response.end();
}

async function pull(body: unknown, response: ServerResponse): Promise<void> {
  Pull.parse(body);
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  line(response, { status: "pulling manifest" });
  for (const completed of [0, 50, 100]) {
    line(response, { status: "pulling layer", digest: "sha256:0", total: 100, completed });
    await sleep(5);
  }
  line(response, { status: "success" });
  response.end();
}

function embed(body: unknown): object {
  const { model, input } = Embed.parse(body);
  const texts = Array.isArray(input) ? input : [input];
  return {
    model,
    embeddings: texts.map((text) => Array.from({ length: 768 }, (_, index) => (text.length + index) / 1000)),
  };
}

const TAGS = {
  models: [MODEL, EMBEDDING_MODEL].map((name) => ({ name, model: name, digest: `sha256:${name}`, details: {} })),
};
const shown = (model: string): object => ({
  capabilities: model === EMBEDDING_MODEL ? ["embedding"] : ["completion", "tools"],
  model_info: { "test.context_length": 32_768 },
  details: {},
});

/** `/raw?bytes=`: a body of that length, for measurements; its bytes follow from their place. */
export const rawByte = (at: number): number => (at * 31 + (at >> 8)) & 0xff;
const RAW = Uint8Array.from({ length: 1 << 20 }, (_, at) => rawByte(at));

async function answer(request: IncomingMessage, response: ServerResponse, options: FakeOllamaOptions): Promise<void> {
  const url = new URL(request.url ?? "/", "http://fake");
  const json = (value: object): void =>
    void response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
  switch (`${request.method} ${url.pathname}`) {
    case "GET /api/tags":
      return await tags(url, response, json);
    case "GET /api/version":
      return json({ version: "0.12.0" });
    case "GET /api/ps":
      return json({ models: [] });
    case "POST /api/show":
      return json(shown(Pull.parse(await readJson(request)).model));
    case "POST /api/chat":
      return await chat(await readJson(request), response, options);
    case "POST /api/embed":
      return json(embed(await readJson(request)));
    case "POST /api/pull":
      return await pull(await readJson(request), response);
    default:
      response.writeHead(404).end();
  }
}

/** With `?bytes=` a body of that length instead; without an end where that is `endless`. */
async function tags(url: URL, response: ServerResponse, json: (value: object) => void): Promise<void> {
  const wished = url.searchParams.get("bytes");
  if (wished === null) {
    json(TAGS);
    return;
  }
  const length = wished === "endless" ? Number.POSITIVE_INFINITY : Number(wished);
  await pipeline(rawBody(length), response);
}

function* rawBody(length: number): Generator<Uint8Array> {
  for (let at = 0; at < length; at += RAW.byteLength) yield RAW.subarray(0, Math.min(length - at, RAW.byteLength));
}

export async function startFakeOllama(options: FakeOllamaOptions = {}): Promise<FakeOllama> {
  const asked: string[] = [];
  let cut = 0;
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.on("close", () => {
      if (!response.writableFinished) cut++;
    });
    answer(request, response, options).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, options.host ?? "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  return {
    url: `http://${options.host ?? "127.0.0.1"}:${port}`,
    asked,
    get cut() {
      return cut;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

if (import.meta.main) {
  const { url } = await startFakeOllama({ port: 11_434, name: "peer", words: 200, delayMs: 20 });
  console.log(`Fake Ollama at ${url}`);
}
