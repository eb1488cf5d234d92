import * as z from "zod";
import { type ErrorCode, errorFromZod } from "../../shared/contract/errors.ts";
import { Id } from "../../shared/contract/primitives.ts";
import { AppError } from "../../shared/domain/app-error.ts";
import type { ConversationObject } from "../../shared/ports/conversation-object.ts";
import type { Scope } from "../../shared/ports/conversation-store.ts";
import type { Principal } from "../../shared/ports/sign-in.ts";
import type { Services } from "../../shared/runtime/services.ts";
import type { EdgeContext, Rooms } from "../edge.ts";
import { entityTag, readIfMatch } from "../middleware/entity-tag.ts";
import { readIdempotencyKey, runOnce } from "../middleware/idempotency.ts";
import { readJson } from "../middleware/json-body.ts";
import { checkOrigin } from "../middleware/origin.ts";
import {
  type Caller,
  refuseRecalled,
  requireSignIn,
  requireSignInFor,
  type SignedIn,
  withoutDatabase,
} from "../middleware/sign-in.ts";
import { type ParamNames, readParams } from "./path-params.ts";

export type Method = "get" | "post" | "patch" | "put" | "delete";

/** A place of a request that takes the id of something which may belong to someone else. */
export interface ForeignId {
  in: "path" | "query" | "body" | "header";
  /** The parameter or header name; in a body the path to the field. */
  name: string;
  of:
    | "conversation"
    | "message"
    | "workspace"
    | "turn"
    | "agent"
    | "personality"
    | "ticket"
    | "job"
    | "provider"
    | "connector"
    | "login";
}

interface About<Path extends string> {
  method: Method;
  /** OpenAPI form: `/api/conversations/{id}`. Every parameter is an id, unless `words` says what it is. */
  path: Path;
  operationId: string;
  summary: string;
  tag: string;
  ids?: ForeignId[];
  /** Parameters of the path that are no ids, such as the name of a kind of thing. */
  words?: Record<string, z.ZodType<string>>;
  /** Codes beyond those that any route of its kind can answer. */
  errors?: ErrorCode[];
}

/** What a route answers when all is well. `stream` and `page` handlers make their own `Response`. */
interface Answer<Schema extends z.ZodType = z.ZodType> {
  status: 101 | 200 | 201 | 202 | 204;
  description: string;
  body?: Schema;
  mediaTypes?: string[];
}

export interface Call<Path extends string = string, Query = unknown, Body = unknown> {
  request: Request;
  params: Record<ParamNames<Path>, string>;
  query: Query;
  body: Body;
  rooms: Rooms;
  services: Services;
  /** The version that `If-Match` names. */
  ifVersion: number | undefined;
  idempotencyKey: string | undefined;
  requestId: string;
  traceparent: string | undefined;
}

export interface SignedInCall<Path extends string = string, Query = unknown, Body = unknown>
  extends Call<Path, Query, Body> {
  /** @throws AppError `database_unavailable` for a caller whom only the conversation's object remembers. */
  readonly signedIn: SignedIn;
  principal: Principal;
  scope: Scope;
  /** The id of what this call creates; the same for every repetition under an `Idempotency-Key`. */
  newId: string;
  conversation: ConversationObject;
}

/** How an answer with a secret in it is kept for repetitions under an `Idempotency-Key`, and told again. */
export interface KeptAnswer<Answered> {
  /** Without the secret. */
  keep(answered: Answered): unknown;
  /** The first answer, from what was kept. `call.newId` is the same as the first time. */
  tellAgain(kept: unknown, call: Pick<SignedInCall, "services" | "newId">): Promise<Answered>;
}

interface Inputs<Query extends z.ZodType, Body extends z.ZodType> {
  query?: Query;
  body?: Body;
  /** A body may be left out; the schema then sees `{}`. */
  bodyOptional?: boolean;
}

type Reply<Schema extends z.ZodType> = z.output<Schema> | Response;

export interface RouteSpec<Path extends string, Query extends z.ZodType, Body extends z.ZodType, Out extends z.ZodType>
  extends About<Path>,
    Inputs<Query, Body> {
  answer: Answer<Out>;
  /** The answer has a `version`, told as `ETag`; PATCH and DELETE heed `If-Match`. */
  versioned?: boolean;
  /** The largest body, where it is not the house's. */
  maxBodyBytes?: number;
  /** Creates something: `Idempotency-Key` is heeded. */
  idempotent?: boolean;
  /** For an answer that must not be kept as it is for its repetitions. */
  kept?: KeptAnswer<z.output<Out>>;
  /** What it says while Postgres is away. A route of one conversation that has none works without Postgres. */
  withoutDatabase?: string;
  handle(call: SignedInCall<Path, z.output<Query>, z.output<Body>>): Promise<Reply<Out>>;
}

export interface OpenRouteSpec<Path extends string, Query extends z.ZodType, Out extends z.ZodType>
  extends About<Path>,
    Pick<Inputs<Query, z.ZodType>, "query"> {
  /** `ticket`: a sign-in or a ticket in the query, which the handler sees to. */
  signIn: "none" | "ticket";
  answer: Answer<Out>;
  handle(call: Call<Path, z.output<Query>, undefined>): Promise<Reply<Out>>;
}

/** A registered endpoint: what documentation and the isolation test read, and how it runs. */
export interface Route extends Required<About<string>> {
  signIn: "required" | "ticket" | "none";
  query: z.ZodType | undefined;
  body: z.ZodType | undefined;
  bodyOptional: boolean;
  answer: Answer;
  versioned: boolean;
  idempotent: boolean;
  maxBodyBytes: number | undefined;
  run(c: EdgeContext): Promise<Response>;
}

function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw AppError.from(errorFromZod(parsed.error));
}

const readQuery = (c: EdgeContext) => Object.fromEntries(new URL(c.req.url).searchParams);

async function readBody(schema: z.ZodType | undefined, optional: boolean, request: Request): Promise<unknown> {
  if (!schema) return undefined;
  const value = await readJson(request);
  if (value === undefined && !optional) throw new AppError("invalid_json", "The body is empty; send a JSON object.");
  return parse(schema, value === undefined ? {} : value);
}

function toResponse(answer: Answer, versioned: boolean, body: unknown): Response {
  if (body instanceof Response) return body;
  if (answer.status === 204) return new Response(null, { status: 204 });
  const version = versioned ? z.object({ version: z.int() }).safeParse(body) : undefined;
  return Response.json(body, {
    status: answer.status,
    headers: version?.success ? { etag: entityTag(version.data.version) } : {},
  });
}

const baseCall = (c: EdgeContext): Omit<Call<never>, "params" | "query" | "body"> => ({
  request: c.req.raw,
  rooms: c.env,
  get services() {
    return c.env.services();
  },
  ifVersion: undefined,
  idempotencyKey: undefined,
  requestId: c.var.requestId,
  traceparent: c.var.traceparent,
});

const CONVERSATIONS = "/api/conversations";

/** Who is asking; for what is about a conversation with a proof for its object, or from one. */
async function callerOf({ path }: About<string>, c: EdgeContext): Promise<Caller> {
  const services = c.env.services();
  const { headers } = c.req.raw;
  if (!path.startsWith(CONVERSATIONS)) return { fresh: await requireSignIn(services, headers) };
  const id = path.startsWith(`${CONVERSATIONS}/{id}`) ? Id.safeParse(c.req.param("id")) : undefined;
  return await requireSignInFor(services, headers, id?.success ? c.env.conversation(id.data) : null);
}

/** Runs a creating write once for its key; its repetitions hear what the first one heard. */
async function answerOnce<Path extends string, Query extends z.ZodType, Body extends z.ZodType, Out extends z.ZodType>(
  { answer, kept, handle }: RouteSpec<Path, Query, Body, Out>,
  call: SignedInCall<Path, z.output<Query>, z.output<Body>>,
  key: string,
): Promise<{ body: unknown; replayed: boolean }> {
  const { services, scope, body } = call;
  let answered: Reply<Out> | undefined;
  const once = await runOnce(services, { scope, key, body }, async (newId) => {
    call.newId = newId;
    answered = await handle(call);
    const isKept = kept && !(answered instanceof Response);
    return { status: answer.status, body: isKept ? kept.keep(answered as z.output<Out>) : answered };
  });
  if (!once.replayed) return { body: answered, replayed: false };
  call.newId = once.id;
  return { body: kept ? await kept.tellAgain(once.body, call) : once.body, replayed: true };
}

/** An endpoint for signed-in callers: the default. */
export function defineRoute<
  const Path extends string,
  Query extends z.ZodType = z.ZodUndefined,
  Body extends z.ZodType = z.ZodUndefined,
  Out extends z.ZodType = z.ZodUndefined,
>(spec: RouteSpec<Path, Query, Body, Out>): Route {
  const { versioned = false, idempotent = false, bodyOptional = false } = spec;
  const { query, body } = spec;
  const serve = async (c: EdgeContext): Promise<Response> => {
    const services = c.env.services();
    const request = c.req.raw;
    const caller = await callerOf(spec, c);
    const { via, principal } = caller.fresh ?? caller.recalled;
    if (via === "cookie") checkOrigin(services.settings, request, { upgrade: false });
    if (spec.withoutDatabase !== undefined) refuseRecalled(caller, spec.withoutDatabase);
    const params = readParams(spec, (name) => c.req.param(name));
    const parsed = (await readBody(body, bodyOptional, request)) as z.output<Body>;
    const scope = { userId: principal.userId };
    const call: SignedInCall<Path, z.output<Query>, z.output<Body>> = {
      ...baseCall(c),
      params,
      query: (query ? parse(query, readQuery(c)) : undefined) as z.output<Query>,
      body: parsed,
      ifVersion: versioned ? readIfMatch(request.headers.get("if-match")) : undefined,
      idempotencyKey: readIdempotencyKey(request.headers),
      get signedIn() {
        refuseRecalled(caller, spec.withoutDatabase);
        return caller.fresh;
      },
      principal,
      scope,
      newId: services.newId(),
      get conversation() {
        return c.env.conversation(String(Object.values(params)[0]));
      },
    };
    if (!idempotent || call.idempotencyKey === undefined) {
      return toResponse(spec.answer, versioned, await spec.handle(call));
    }
    const once = await answerOnce(spec, call, `${request.method} ${c.req.path} ${call.idempotencyKey}`);
    const response = toResponse(spec.answer, versioned, once.body);
    if (once.replayed) response.headers.set("idempotency-replayed", "true");
    return response;
  };
  const run = async (c: EdgeContext): Promise<Response> => {
    try {
      return await serve(c);
    } catch (error) {
      throw withoutDatabase(error, spec.withoutDatabase);
    }
  };
  const { maxBodyBytes } = spec;
  return route(spec, { signIn: "required", query, body, bodyOptional, versioned, idempotent, maxBodyBytes, run });
}

/** An endpoint that answers without a sign-in, or sees to it itself. */
export function defineOpenRoute<
  const Path extends string,
  Query extends z.ZodType = z.ZodUndefined,
  Out extends z.ZodType = z.ZodUndefined,
>(spec: OpenRouteSpec<Path, Query, Out>): Route {
  const { query } = spec;
  const run = async (c: EdgeContext): Promise<Response> => {
    const params = readParams(spec, (name) => c.req.param(name));
    const parsed = (query ? parse(query, readQuery(c)) : undefined) as z.output<Query>;
    // Not spread: that would ask for the services, which a broken configuration does not have.
    const call = Object.assign(baseCall(c), { params, query: parsed, body: undefined });
    return toResponse(spec.answer, false, await spec.handle(call));
  };
  const none = { body: undefined, bodyOptional: false, versioned: false, idempotent: false, maxBodyBytes: undefined };
  return route(spec, { signIn: spec.signIn, query, ...none, run });
}

function route(about: About<string> & { answer: Answer }, rest: Omit<Route, keyof About<string> | "answer">): Route {
  const { method, path, operationId, summary, tag, ids = [], words = {}, errors = [], answer } = about;
  return { method, path, operationId, summary, tag, ids, words, errors, answer, ...rest };
}
