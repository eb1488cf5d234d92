import { createMiddleware } from "hono/factory";
import type { Edge } from "../edge.ts";
import { setHeaders } from "../response-headers.ts";
import { isAllowedOrigin } from "./origin.ts";

const PREFLIGHT: [string, string][] = [
  ["access-control-allow-methods", "GET, HEAD, POST, PUT, PATCH, DELETE"],
  [
    "access-control-allow-headers",
    "authorization, content-type, idempotency-key, if-match, last-event-id, traceparent, x-api-key, x-request-id",
  ],
  ["access-control-max-age", "600"],
];
const EXPOSED = "etag, location, retry-after, set-auth-token, x-request-id, idempotency-replayed";

/** Lets pages of the instance's own origins read answers, with cookies; other origins get no permission at all. */
export const cors = createMiddleware<Edge>(async (c, next) => {
  const origin = c.req.header("origin");
  if (origin === undefined) return await next();
  const permission: [string, string][] = isAllowedOrigin(c.env.services().settings, origin)
    ? [
        ["access-control-allow-origin", origin],
        ["access-control-allow-credentials", "true"],
        ["access-control-expose-headers", EXPOSED],
      ]
    : [];
  if (c.req.method === "OPTIONS" && c.req.header("access-control-request-method") !== undefined) {
    c.res = new Response(null, { status: 204 });
    setHeaders(c, [["vary", "Origin"], ...permission, ...(permission.length > 0 ? PREFLIGHT : [])]);
    return;
  }
  await next();
  setHeaders(c, [["vary", "Origin"], ...permission]);
});
