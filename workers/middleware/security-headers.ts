import { createMiddleware } from "hono/factory";
import type { Edge } from "../edge.ts";
import { setHeaders } from "../response-headers.ts";

const ALWAYS: [string, string][] = [
  ["x-content-type-options", "nosniff"],
  ["x-frame-options", "DENY"],
  ["referrer-policy", "no-referrer"],
  ["cross-origin-opener-policy", "same-origin"],
];

/** What an answer says unless its route said something else. */
const UNLESS_SET: [string, string][] = [
  ["content-security-policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"],
  ["cache-control", "no-store"],
];

export const securityHeaders = createMiddleware<Edge>(async (c, next) => {
  await next();
  const secure = new URL(c.req.url).protocol === "https:";
  setHeaders(c, [
    ...ALWAYS,
    ...UNLESS_SET.filter(([name]) => !c.res.headers.has(name)),
    ...(secure ? [["strict-transport-security", "max-age=31536000"] as const] : []),
  ]);
});
