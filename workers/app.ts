import { Hono } from "hono";
import { AppError } from "../shared/domain/app-error.ts";
import { docsPage } from "./docs/docs-page.ts";
import { openApiDocument } from "./docs/openapi-document.ts";
import type { Edge, EdgeContext } from "./edge.ts";
import { answerError, problemResponse } from "./http-error.ts";
import { bodyLimit } from "./middleware/body-limit.ts";
import { cors } from "./middleware/cors.ts";
import { requestId } from "./middleware/request-id.ts";
import { securityHeaders } from "./middleware/security-headers.ts";
import { type Entry, openRooms } from "./middleware/services.ts";
import { traceContext } from "./middleware/trace-context.ts";
import type { Route } from "./routes/route.ts";
import { routes } from "./routes/route-table.ts";

const MAX_BODY_BYTES = 1024 * 1024;

const honoPath = (path: string) => path.replaceAll(/\{(\w+)\}/g, ":$1");

const pattern = (path: string) => new RegExp(`^${path.replaceAll(".", "\\.").replaceAll(/\{\w+\}/g, "[^/]+")}$`);

/** Which methods each path knows, for answering the others. */
function methodsByPath(table: readonly Route[]) {
  const served = [...table, { method: "get", path: "/api/openapi.json" }, { method: "get", path: "/api/docs" }].map(
    ({ method, path }) => ({ method, matches: pattern(path) }),
  );
  return (path: string): string[] => {
    const methods = served.filter(({ matches }) => matches.test(path)).map(({ method }) => method.toUpperCase());
    return methods.includes("GET") ? [...methods, "HEAD"] : methods;
  };
}

/** Endpoints with a limit of their own have no parameters in their paths. */
const limitOf = (method: string, path: string): number =>
  routes.find((route) => route.path === path && route.method === method.toLowerCase())?.maxBodyBytes ?? MAX_BODY_BYTES;

function answerNothingHere(allowedAt: (path: string) => string[]) {
  return (c: EdgeContext): Response => {
    const allow = allowedAt(c.req.path);
    if (allow.length === 0) throw new AppError("not_found", "There is nothing at this address.");
    const message = `${c.req.method} is not possible here; use ${allow.join(", ")}.`;
    return problemResponse({ code: "method_not_allowed", message }, c.var.requestId, { allow: allow.join(", ") });
  };
}

/**
 * Builds the edge: middleware, routes, one error handler. `Env` is the platform's; nothing beyond `entry` sees it.
 * The returned `fetch` is what the Worker exports.
 */
export function createApp<Env extends object>(entry: Entry<Env>) {
  const app = new Hono<Edge>();
  const rooms = openRooms(entry);
  app.onError(answerError);
  app.notFound(answerNothingHere(methodsByPath(routes)));
  app.use(requestId, traceContext, securityHeaders, cors, bodyLimit(limitOf));
  app.all("/api/auth/*", async (c) => await c.env.services().signIn.handle(c.req.raw));
  let document: object | undefined;
  app.get("/api/openapi.json", (c) => {
    document ??= openApiDocument(routes, c.env.services().settings.PUBLIC_URL);
    return c.json(document);
  });
  app.get("/api/docs", () => docsPage());
  for (const route of routes) app.on(route.method.toUpperCase(), honoPath(route.path), (c) => route.run(c));
  return {
    fetch: async (request: Request, env: Env): Promise<Response> => await app.fetch(request, rooms(env)),
  };
}
