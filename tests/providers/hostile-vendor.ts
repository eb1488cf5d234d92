/** A model server that tells everybody the secrets it was shown, in every place an answer has. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

/** How it answers a chat; a list of models always repeats the secrets in ids and names. */
export type Mood =
  | "well"
  | "echo"
  | "unauthorised"
  | "redirect"
  | "garbage"
  | "error-in-200"
  | "broken-stream"
  | "server-error";

export interface HostileVendor {
  url: string;
  mood: Mood;
  /** The secrets that came, as they came. */
  shown: string[];
  /** How it answered the chats so far. */
  answered: Set<Mood>;
  /** How often the place was asked that redirects point to. */
  readonly elsewhere: number;
  close(): Promise<void>;
}

const secretsIn = ({ headers }: IncomingMessage): string =>
  [headers.authorization, headers["x-api-key"], headers["x-gate"]].filter(Boolean).join(" and ");

async function listen(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The hostile vendor has no port.");
  return `http://127.0.0.1:${address.port}`;
}

const chunkOf = (delta: object, model = "x"): string =>
  `data: ${JSON.stringify({ id: "x", model, object: "chat.completion.chunk", choices: [{ index: 0, delta }] })}\n\n`;

const chunk = (content: string): string => chunkOf({ content });

/** An answer that repeats what it was shown, in pieces: as text, as thought, as a call, and as the name of its model. */
function echoOf(secrets: string): string {
  const told = `${secrets} ${Buffer.from(secrets).toString("base64")} ${secrets.toUpperCase()} `;
  const pieces = told.match(/.{1,9}/g) ?? [];
  const call = (text: string) => ({ tool_calls: [{ index: 0, id: "call", function: { name: "t", arguments: text } }] });
  const deltas = [
    ...pieces.map((text) => ({ reasoning_content: text })),
    ...pieces.map((text) => ({ content: text })),
    ...pieces.map(call),
  ];
  const end = { id: "x", model: secrets, choices: [{ index: 0, delta: {}, finish_reason: "tool_calls" }] };
  return `${deltas.map((delta) => chunkOf(delta, secrets)).join("")}data: ${JSON.stringify(end)}\n\ndata: [DONE]\n\n`;
}

function chat(response: ServerResponse, mood: Mood, secrets: string, elsewhere: string): void {
  const send = (status: number, body: string, type = "application/json", more: Record<string, string> = {}) => {
    response.writeHead(status, { "content-type": type, "x-echo": secrets, ...more });
    response.end(body);
  };
  const error = JSON.stringify({ error: { message: `Who is ${secrets}?`, type: secrets, code: secrets } });
  switch (mood) {
    case "well":
      return send(200, `${chunk("all is well")}data: [DONE]\n\n`, "text/event-stream");
    case "echo":
      return send(200, echoOf(secrets), "text/event-stream");
    case "unauthorised":
      return send(401, error, "application/json", { "www-authenticate": `Bearer realm="${secrets}"` });
    case "redirect":
      return send(302, secrets, "text/plain", { location: `${elsewhere}/?key=${encodeURIComponent(secrets)}` });
    case "garbage":
      return send(200, `<html>${secrets}</html>`, "text/html");
    case "error-in-200":
      return send(200, error);
    case "broken-stream":
      return send(200, `data: {"error": {"message": "${secrets}"}}\n\ndata: ${secrets} {\n\n`, "text/event-stream");
    case "server-error":
      return send(503, error, "application/json", { "retry-after": "0" });
  }
}

export async function startHostileVendor(): Promise<HostileVendor> {
  let asked = 0;
  const elsewhere = createServer((_request, response) => {
    asked += 1;
    response.end("{}");
  });
  const elsewhereUrl = await listen(elsewhere);
  const vendor = { mood: "well" as Mood, shown: [] as string[], answered: new Set<Mood>() };
  const server = createServer((request, response) => {
    const secrets = secretsIn(request);
    vendor.shown.push(secrets);
    request.resume();
    if (request.method === "POST") {
      vendor.answered.add(vendor.mood);
      return chat(response, vendor.mood, secrets, elsewhereUrl);
    }
    const ids = ["a-model", `model-${secrets}`];
    const data = ids.map((id) => ({ id, object: "model", name: `${id} by ${secrets}`, owned_by: secrets }));
    response.writeHead(200, { "content-type": "application/json", "x-echo": secrets });
    response.end(JSON.stringify({ object: "list", data }));
  });
  const url = await listen(server);
  return Object.assign(vendor, {
    url,
    get elsewhere() {
      return asked;
    },
    close: async () => {
      for (const each of [server, elsewhere]) {
        each.closeAllConnections();
        each.close();
        await once(each, "close");
      }
    },
  });
}
