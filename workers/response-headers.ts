import type { EdgeContext } from "./edge.ts";

type Entries = readonly (readonly [string, string])[];

function apply(headers: Headers, entries: Entries): void {
  for (const [name, value] of entries) {
    if (name === "vary") headers.append(name, value);
    else headers.set(name, value);
  }
}

/**
 * Adds headers to the answer of a request, whoever made it. Answers that come from an object or from `fetch` have
 * immutable headers and are made anew; the socket of an upgrade must be carried over by hand or it is lost.
 */
export function setHeaders(c: EdgeContext, entries: Entries): void {
  const response = c.res;
  try {
    apply(response.headers, entries);
    return;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
  const headers = new Headers(response.headers);
  apply(headers, entries);
  const init = { status: response.status, statusText: response.statusText, headers };
  // Hono merges the old headers over the new ones unless the old answer is taken away first.
  c.res = undefined;
  c.res = response.webSocket
    ? new Response(null, { ...init, webSocket: response.webSocket })
    : new Response(response.body, init);
}
