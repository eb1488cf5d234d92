/** A vendor to log in at, as OpenRouter describes its own login: a page that sends the browser back with a code, and a trade of it. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import * as z from "zod";

const Trade = z.object({ code: z.string(), code_verifier: z.string(), code_challenge_method: z.literal("S256") });

export interface LoginVendor {
  /** `PROVIDER_LOGINS` that send OpenRouter's logins here. */
  settings: string;
  /** The key that a login ends in. */
  key: string;
  close(): Promise<void>;
}

export async function startLoginVendor(key: string): Promise<LoginVendor> {
  const challenges = new Map<string, string>();
  const approve = (query: URLSearchParams, response: ServerResponse): void => {
    const code = `code-${challenges.size + 1}`;
    challenges.set(code, query.get("code_challenge") ?? "");
    const back = new URL(query.get("callback_url") ?? "");
    back.searchParams.set("code", code);
    response.writeHead(302, { location: back.href }).end();
  };
  const trade = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: string[] = [];
    for await (const chunk of request) chunks.push(String(chunk));
    const { code, code_verifier } = Trade.parse(JSON.parse(chunks.join("")));
    const proved = challenges.get(code) === createHash("sha256").update(code_verifier).digest("base64url");
    challenges.delete(code);
    response.writeHead(proved ? 200 : 403, { "content-type": "application/json" });
    response.end(JSON.stringify(proved ? { key } : { error: "invalid code" }));
  };
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://vendor");
    if (pathname === "/auth") approve(searchParams, response);
    else trade(request, response).catch(() => response.writeHead(400).end());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("The vendor has no port.");
  const url = `http://127.0.0.1:${address.port}`;
  return {
    settings: JSON.stringify({ openrouter: { authorizationUrl: `${url}/auth`, tokenUrl: `${url}/keys` } }),
    key,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
