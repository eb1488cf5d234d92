import * as z from "zod";
import { type ErrorCode, Problem } from "../../shared/contract/errors.ts";
import { Id } from "../../shared/contract/primitives.ts";
import { ERROR_FACES } from "../http-error.ts";
import { paramNames } from "../routes/path-params.ts";
import type { Route } from "../routes/route.ts";
import { JsonSchemas } from "./json-schemas.ts";

/** What any route of this kind may answer when something is wrong. */
function errorCodes(route: Route): ErrorCode[] {
  return [
    ...(route.query || route.body ? (["invalid_request", "unknown_field"] as const) : []),
    ...(route.body ? (["invalid_json", "too_large", "unsupported_media_type"] as const) : []),
    ...(route.signIn === "required" ? (["unauthenticated", "expired", "forbidden"] as const) : []),
    ...(paramNames(route.path).length > 0 ? (["not_found"] as const) : []),
    ...(route.idempotent ? (["conflict", "idempotency_conflict"] as const) : []),
    ...route.errors,
    "internal",
    ...(route.signIn === "none" ? [] : (["database_unavailable"] as const)),
  ];
}

function problems(route: Route, schemas: JsonSchemas): [string, object][] {
  const schema = schemas.of(Problem, "Problem");
  const byStatus = Map.groupBy(new Set(errorCodes(route)), (code) => ERROR_FACES[code].status);
  return [...byStatus].map(([status, codes]) => [
    String(status),
    {
      description: codes.map((code) => `\`${code}\``).join(", "),
      content: { "application/problem+json": { schema } },
    },
  ]);
}

function success({ answer, versioned, operationId }: Route, schemas: JsonSchemas): object {
  const { body, mediaTypes = body ? ["application/json"] : [], description } = answer;
  const content = mediaTypes.map((type) => [
    type,
    { schema: type === "application/json" && body ? schemas.of(body, `${operationId}Answer`) : { type: "string" } },
  ]);
  return {
    description,
    ...(versioned && body ? { headers: { ETag: { schema: { type: "string" } } } } : {}),
    ...(content.length > 0 ? { content: Object.fromEntries(content) } : {}),
  };
}

const Properties = z.object({
  properties: z.record(z.string(), z.unknown()).default({}),
  required: z.array(z.string()).default([]),
});

function parameters(route: Route, schemas: JsonSchemas): object[] {
  const text = { type: "string" };
  const query = route.query ? Properties.parse(schemas.of(route.query, `${route.operationId}Query`)) : undefined;
  const takesKey = route.idempotent || route.operationId === "sendMessage";
  const takesVersion = route.versioned && (route.method === "patch" || route.method === "delete");
  return [
    ...paramNames(route.path).map((name) => ({
      name,
      in: "path",
      required: true,
      schema: schemas.of(route.words[name] ?? Id, "Id"),
    })),
    ...Object.entries(query?.properties ?? {}).map(([name, schema]) => ({
      name,
      in: "query",
      // A default is filled in; only what zod cannot do without is required.
      required: query?.required.includes(name) ?? false,
      schema,
    })),
    ...(takesKey ? [{ name: "Idempotency-Key", in: "header", schema: { ...text, maxLength: 255 } }] : []),
    ...(takesVersion ? [{ name: "If-Match", in: "header", schema: text }] : []),
    ...(route.operationId === "streamEvents" ? [{ name: "Last-Event-ID", in: "header", schema: text }] : []),
  ];
}

const SECURITY_SCHEMES = {
  session: { type: "apiKey", in: "cookie", name: "better-auth.session_token" },
  bearer: { type: "http", scheme: "bearer", description: "A session token or an API key" },
  apiKey: { type: "apiKey", in: "header", name: "x-api-key" },
};

function operation(route: Route, schemas: JsonSchemas): object {
  const { operationId, summary, tag, body, bodyOptional, answer } = route;
  return {
    operationId,
    summary,
    tags: [tag],
    security: route.signIn === "none" ? [] : Object.keys(SECURITY_SCHEMES).map((name) => ({ [name]: [] })),
    parameters: parameters(route, schemas),
    ...(body
      ? {
          requestBody: {
            required: !bodyOptional,
            content: { "application/json": { schema: schemas.of(body, `${operationId}Body`) } },
          },
        }
      : {}),
    responses: Object.fromEntries([[String(answer.status), success(route, schemas)], ...problems(route, schemas)]),
  };
}

/** Makes OpenAPI 3.1 of the same schemas that the routes parse with. */
export function openApiDocument(routes: readonly Route[], publicUrl: string): object {
  const schemas = new JsonSchemas();
  const byPath = Map.groupBy(routes, ({ path }) => path);
  const paths = Object.fromEntries(
    [...byPath].map(([path, here]) => [
      path,
      Object.fromEntries(here.map((route) => [route.method, operation(route, schemas)])),
    ]),
  );
  return {
    openapi: "3.1.0",
    info: {
      title: "Mosaic",
      version: "1",
      description:
        "Conversations with any model, each with a receipt. Errors are `application/problem+json`; sign-in is under `/api/auth`.",
    },
    servers: [{ url: publicUrl }],
    paths,
    components: { schemas: schemas.components, securitySchemes: SECURITY_SCHEMES },
  };
}
