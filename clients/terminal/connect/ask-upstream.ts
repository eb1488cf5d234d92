/**
 * Asks one of this machine's own model servers, and nothing else: the address is the configuration's, the path must be
 * on the list, and a redirect is not followed. Over `node:http`, which sets no limit of its own on how long a model may
 * take to load, and hands bytes on as they come.
 */
import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { pipeline } from "node:stream/promises";
import { allowedUrl } from "../../../shared/client/connector/allowed-request.ts";
import type { MachineAnswer, MachineRequest } from "../../../shared/client/connector/machine-streams.ts";
import { plainPull } from "../../../shared/client/connector/pull-request.ts";
import { type HeaderBlock, HeaderBlock as Headers } from "../../../shared/contract/connector-frames.ts";
import { type ConnectorProblem, connectorProblem } from "../../../shared/contract/connector-problem.ts";
import type { ConfiguredUpstream } from "./connector-file.ts";
import { exactBody, saidLength, WrongLength } from "./exact-body.ts";

/** Of one connection, or not meant for whoever asked. */
const NOT_ANSWERED: readonly string[] = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-connection",
  "set-cookie",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];
const ASKED: readonly string[] = ["accept", "authorization", "content-type"];

const PLAIN_NAMES_ONLY =
  "A machine fetches models by their plain name only, such as `qwen3:0.6b`; fetch what is elsewhere on the machine itself.";

async function* bytesBody(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function problem(code: ConnectorProblem, detail: string, machine: string): MachineAnswer {
  const { status, headers, body } = connectorProblem(code, detail, { machine });
  return { status, headers, body: bytesBody(new TextEncoder().encode(body)) };
}

function answerHeaders(response: IncomingMessage): HeaderBlock | null {
  const pairs: HeaderBlock = [];
  for (let at = 0; at + 1 < response.rawHeaders.length; at += 2) {
    const name = (response.rawHeaders[at] ?? "").toLowerCase();
    if (!NOT_ANSWERED.includes(name)) pairs.push([name, response.rawHeaders[at + 1] ?? ""]);
  }
  const parsed = Headers.safeParse(pairs);
  return parsed.success ? parsed.data : null;
}

/** Only what is posted has a body: Node would send that of a GET without any frame around it. */
function bodyToSend({ method, headers, body }: MachineRequest): {
  body: MachineRequest["body"];
  length: number | null;
} {
  if (method !== "POST" || !body) return { body: null, length: null };
  const length = saidLength(headers);
  return { body: length === null ? body : exactBody(body, length), length };
}

function open(url: URL, headers: ConfiguredUpstream["headers"], asked: MachineRequest): Promise<IncomingMessage> {
  const { body, length } = bodyToSend(asked);
  return new Promise((resolve, reject) => {
    const request = url.protocol === "https:" ? requestHttps : requestHttp;
    const outgoing = request(url, {
      method: asked.method,
      headers: {
        ...Object.fromEntries(asked.headers.filter(([name]) => ASKED.includes(name))),
        ...(length !== null && { "content-length": String(length) }),
        "accept-encoding": "identity",
        ...headers,
      },
      agent: false,
      signal: asked.signal,
    });
    outgoing.on("response", resolve);
    outgoing.on("error", reject);
    // Its failure is the request's, which tells it better; but of a body that is wrong by itself that hears nothing.
    pipeline(body ?? [], outgoing).catch((error: unknown) => {
      if (error instanceof WrongLength) reject(error);
    });
  });
}

/** Ends the connection to the model server when the reader leaves early. */
async function* bodyOf(response: IncomingMessage, name: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of response) yield chunk;
  } catch {
    throw new Error(`"${name}" on that machine broke off in the middle of its answer.`);
  } finally {
    response.destroy();
  }
}

/** A model is fetched by its plain name alone. @returns what may be asked; null for what may not */
async function allowedRequest({ kind }: ConfiguredUpstream, asked: MachineRequest): Promise<MachineRequest | null> {
  if (kind !== "ollama" || !/^\/api\/pull(\?|$)/.test(asked.path)) return asked;
  const text = await plainPull(asked.body);
  if (text === null) return null;
  const headers = asked.headers.filter(([name]) => name !== "content-length");
  return { ...asked, headers: [...headers, ["content-length", String(text.byteLength)]], body: bytesBody(text) };
}

/** `machine` is its name, for sentences. Never throws before the answer begins. */
export async function askUpstream(
  upstreams: readonly ConfiguredUpstream[],
  machine: string,
  asked: MachineRequest,
): Promise<MachineAnswer> {
  const upstream = upstreams.find(({ name }) => name === asked.upstream);
  if (!upstream) {
    return problem("connector_offline", `The machine "${machine}" does not offer "${asked.upstream}".`, machine);
  }
  const url = allowedUrl(upstream, asked.method, asked.path);
  if (!url) {
    return problem("forbidden", `The machine "${machine}" allows no ${asked.method} of that address.`, machine);
  }
  try {
    const allowed = await allowedRequest(upstream, asked);
    if (!allowed) return problem("forbidden", PLAIN_NAMES_ONLY, machine);
    const response = await open(url, upstream.headers, allowed);
    const status = response.statusCode ?? 502;
    const headers = answerHeaders(response);
    if (status >= 300 && status < 400 && status !== 304) {
      response.destroy();
      const sentence = `"${upstream.name}" on "${machine}" redirects, which is not followed; give its final address there.`;
      return problem("provider_failed", sentence, machine);
    }
    if (headers && status >= 200 && status <= 599) return { status, headers, body: bodyOf(response, upstream.name) };
    response.destroy();
    return problem("provider_failed", `"${upstream.name}" on "${machine}" gave an answer that is not HTTP.`, machine);
  } catch (error) {
    if (error instanceof WrongLength) return problem("provider_failed", error.message, machine);
    const sentence = `"${upstream.name}" does not answer on "${machine}" at ${new URL(upstream.url).origin}; start it there.`;
    return problem("provider_failed", sentence, machine);
  }
}
