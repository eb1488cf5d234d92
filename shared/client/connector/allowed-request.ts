import type { Upstream } from "../../contract/connector.ts";

/**
 * What of a model server may be asked over the connector, by exact path: nothing that deletes, copies, uploads or reads
 * files, whatever the stack asks for.
 */
const ALLOWED: Record<Upstream["kind"], Record<string, readonly string[]>> = {
  ollama: {
    GET: ["/api/tags", "/api/ps", "/api/version"],
    POST: ["/api/chat", "/api/embed", "/api/show", "/api/pull"],
  },
  "openai-compatible": {
    GET: ["/v1/models"],
    POST: ["/v1/chat/completions", "/v1/embeddings"],
  },
};

const QUERY = /^\?[\x21-\x22\x24-\x7e]{0,2000}$/;

/**
 * Where a request goes, below the upstream's own address. An openai-compatible server's address has its version path,
 * and stands in the place of `/v1`.
 * @returns null for what may not be asked
 */
export function allowedUrl(
  upstream: { kind: Upstream["kind"]; url: string },
  method: string,
  target: string,
): URL | null {
  const at = target.indexOf("?");
  const path = at < 0 ? target : target.slice(0, at);
  const query = at < 0 ? "" : target.slice(at);
  if (!Object.hasOwn(ALLOWED[upstream.kind], method)) return null;
  if (!ALLOWED[upstream.kind][method]?.includes(path) || !(query === "" || QUERY.test(query))) return null;
  const below = upstream.kind === "ollama" ? path : path.slice("/v1".length);
  return URL.parse(`${upstream.url.replace(/\/+$/, "")}${below}${query}`);
}
