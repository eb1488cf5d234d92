import type { EdgeContext } from "./edge.ts";

/**
 * Adds headers to the answer of a request, whoever made it. Answers that come from an object or from `fetch` have
 * immutable headers and are made anew; the socket of an upgrade must be carried over by hand or it is lost.
 */
export function setHeaders(c: EdgeContext, entries: Iterable<readonly [string, string]>): void {
  const response = c.res;
  const headers = new Headers(response.headers);
  for (const [name, value] of entries) {
    if (name === "vary") headers.append(name, value);
    else headers.set(name, value);
  }
  const socket = "webSocket" in response ? response.webSocket : null;
  const init = { status: response.status, statusText: response.statusText, headers };
  // Hono merges the old headers over the new ones unless the old answer is taken away first.
  c.res = undefined;
  c.res = socket ? new Response(null, { ...init, webSocket: socket }) : new Response(response.body, init);
}
