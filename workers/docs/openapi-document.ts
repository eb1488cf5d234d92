import { OpenAPIHono, type RouteConfig } from "@hono/zod-openapi";
import * as z from "zod";
import { type ErrorCode, Problem } from "../../shared/contract/errors.ts";
import { Id } from "../../shared/contract/primitives.ts";
import { ERROR_FACES } from "../http-error.ts";
import { paramNames, type Route } from "../routes/route.ts";

const IDEMPOTENCY_KEY = z.string().min(1).max(255).optional();
const IF_MATCH = z.string().optional();

/** What any route of this kind may answer when something is wrong. */
function errorCodes(route: Route): ErrorCode[] {
  const takesIds = paramNames(route.path).length > 0;
  return [
    ...(route.query || route.body ? (["invalid_request", "unknown_field"] as const) : []),
    ...(route.body ? (["invalid_json", "too_large", "unsupported_media_type"] as const) : []),
    ...(route.signIn === "required" ? (["unauthenticated", "expired", "forbidden"] as const) : []),
    ...(takesIds ? (["not_found"] as const) : []),
    ...(route.idempotent ? (["conflict", "idempotency_conflict"] as const) : []),
    ...route.errors,
    "internal",
    ...(route.signIn === "none" ? [] : (["database_unavailable"] as const)),
  ];
}

function problemResponses(route: Route): RouteConfig["responses"] {
  const codes = Map.groupBy(new Set(errorCodes(route)), (code) => ERROR_FACES[code].status);
  return Object.fromEntries(
    [...codes].map(([status, ofStatus]) => [
      status,
      {
        description: ofStatus.map((code) => `\`${code}\``).join(", "),
        content: { "application/problem+json": { schema: Problem } },
      },
    ]),
  );
}

function request(route: Route): NonNullable<RouteConfig["request"]> {
  const names = paramNames(route.path);
  const headers = {
    ...(route.idempotent || route.operationId === "sendMessage" ? { "Idempotency-Key": IDEMPOTENCY_KEY } : {}),
    ...(route.versioned && (route.method === "patch" || route.method === "delete") ? { "If-Match": IF_MATCH } : {}),
  };
  return {
    ...(names.length > 0 ? { params: z.object(Object.fromEntries(names.map((name) => [name, Id]))) } : {}),
    ...(route.query instanceof z.ZodObject ? { query: route.query } : {}),
    ...(Object.keys(headers).length > 0 ? { headers: z.object(headers) } : {}),
    ...(route.body
      ? { body: { required: !route.bodyOptional, content: { "application/json": { schema: route.body } } } }
      : {}),
  };
}

function success({ answer, versioned }: Route): RouteConfig["responses"][string] {
  const { body, mediaTypes = ["application/json"], description } = answer;
  const content = mediaTypes.map((type) => [type, { schema: type === "application/json" && body ? body : z.string() }]);
  return {
    description,
    ...(versioned && answer.status !== 204 ? { headers: z.object({ ETag: z.string() }) } : {}),
    ...(body || answer.mediaTypes ? { content: Object.fromEntries(content) } : {}),
  };
}

const SECURITY_SCHEMES = {
  session: { type: "apiKey", in: "cookie", name: "better-auth.session_token" },
  bearer: { type: "http", scheme: "bearer", description: "A session token or an API key" },
  apiKey: { type: "apiKey", in: "header", name: "x-api-key" },
} as const;

/** Makes OpenAPI 3.1 of the same schemas that the routes parse with. */
export function openApiDocument(routes: readonly Route[], publicUrl: string): object {
  const { openAPIRegistry, getOpenAPI31Document } = new OpenAPIHono();
  for (const [name, scheme] of Object.entries(SECURITY_SCHEMES)) {
    openAPIRegistry.registerComponent("securitySchemes", name, scheme);
  }
  for (const route of routes) {
    openAPIRegistry.registerPath({
      method: route.method,
      path: route.path,
      operationId: route.operationId,
      summary: route.summary,
      tags: [route.tag],
      security: route.signIn === "none" ? [] : Object.keys(SECURITY_SCHEMES).map((name) => ({ [name]: [] })),
      request: request(route),
      responses: { [route.answer.status]: success(route), ...problemResponses(route) },
    });
  }
  return getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Mosaic",
      version: "1",
      description:
        "Conversations with any model, each with a receipt. Errors are `application/problem+json`; sign-in is under `/api/auth`.",
    },
    servers: [{ url: publicUrl }],
  });
}
