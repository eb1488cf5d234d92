import { createMiddleware } from "hono/factory";
import type { Edge } from "../edge.ts";
import { setHeaders } from "../response-headers.ts";

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const zeros = /^0+$/;

/** The same trace with a new span of ours, or undefined where the header is absent or not valid (W3C Trace Context). */
function continueTrace(header: string | undefined, spanId: string): string | undefined {
  const [, version, traceId, parentId, flags, rest] = TRACEPARENT.exec(header ?? "") ?? [];
  if (!traceId || !parentId || version === "ff" || (version === "00" && rest)) return undefined;
  if (zeros.test(traceId) || zeros.test(parentId)) return undefined;
  return `00-${traceId}-${spanId}-${flags}`;
}

const newSpanId = () => crypto.randomUUID().replaceAll("-", "").slice(16);

/** Continues the caller's trace: objects get it along, the answer names it. */
export const traceContext = createMiddleware<Edge>(async (c, next) => {
  const traceparent = continueTrace(c.req.header("traceparent"), newSpanId());
  c.set("traceparent", traceparent);
  await next();
  if (traceparent) setHeaders(c, [["traceparent", traceparent]]);
});
