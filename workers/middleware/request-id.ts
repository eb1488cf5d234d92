import { createMiddleware } from "hono/factory";
import type { Edge } from "../edge.ts";
import { setHeaders } from "../response-headers.ts";

const SANE = /^[\w.:-]{8,128}$/;

/** Gives each request an id, or keeps a sane one that came along, and says it in the answer. */
export const requestId = createMiddleware<Edge>(async (c, next) => {
  const incoming = c.req.header("x-request-id");
  const id = incoming && SANE.test(incoming) ? incoming : crypto.randomUUID();
  c.set("requestId", id);
  await next();
  setHeaders(c, [["x-request-id", id]]);
});
