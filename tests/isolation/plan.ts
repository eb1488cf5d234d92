import * as z from "zod";
import { ENROL_HEADER } from "../../shared/contract/connector-credentials.ts";
import { CONNECTOR_PROTOCOL } from "../../shared/contract/connector-frames.ts";
import { SUBPROTOCOL } from "../../shared/contract/frames.ts";
import { paramNames } from "../../workers/routes/path-params.ts";
import type { ForeignId, Route } from "../../workers/routes/route.ts";

/** What one endpoint needs beyond what the route table says. */
export interface Recipe {
  /** A valid body without the ids. */
  body?: Record<string, unknown>;
  /** Places that a request with own ids needs; elsewhere an own id is left out. Those in the path always are. */
  needs?: string[];
  /** Places that only name something new or something of the caller's own: another's id there is no access, and does no harm. */
  chosen?: string[];
  /** Fields that name what nobody can have here yet, such as uploaded files; drop them once somebody can. */
  nobodys?: string[];
  /** Places where what is not one's own is refused as unknown, 400: whether it exists is not told. */
  unknowable?: string[];
  /** Places where even what one may use is refused, 400: it does not go with the rest of the request. */
  misfits?: string[];
  /** What stands in the words of the path, in the query and in the headers beside ids. */
  words?: Record<string, string>;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  /** A write by its method that a viewer of a shared conversation may do. */
  viewerMay?: true;
  /** For the instance's administrator alone: everyone else is told so, whatever they name. */
  adminOnly?: true;
  /** When in a walk: 1 gives the caller's own things the ids that were tried on others', 2 ends the caller's account. */
  late?: 1 | 2;
}

const EMPTY_EXPORT = {
  format: "mosaic.conversation.v1",
  exportedAt: "2026-11-21T12:00:00.000Z",
  conversation: {
    id: "00000000-0000-7000-8000-000000000001",
    workspaceId: "00000000-0000-7000-8000-000000000002",
    ownerUserId: "00000000-0000-7000-8000-000000000003",
    visibility: "private",
    title: "mine",
    model: null,
    agentId: null,
    personalityId: null,
    headId: null,
    forkedFrom: null,
    version: 1,
    createdAt: "2026-11-21T12:00:00.000Z",
    updatedAt: "2026-11-21T12:00:00.000Z",
  },
  events: [],
};

/** One entry per endpoint of the route table; `gapsIn` names those without. */
export const RECIPES: Record<string, Recipe> = {
  getLive: {},
  getReady: {},
  getSignInOptions: {},
  getMe: {},
  exportMe: {},
  deleteMe: { late: 2 },
  createConversation: { body: { title: "mine" } },
  importConversation: {
    body: EMPTY_EXPORT,
    // Whatever a file names is renamed: it is nobody's.
    nobodys: ["body.conversation", "body.events"],
  },
  listConversations: {},
  getConversation: {},
  updateConversation: { body: { title: "stolen" } },
  deleteConversation: {},
  stopTurn: { body: {}, chosen: ["body.turnId"] },
  forkConversation: { body: {}, needs: ["body.messageId"] },
  exportConversation: {},
  createTicket: { viewerMay: true },
  getContext: {},
  openSocket: { headers: { upgrade: "websocket", "sec-websocket-protocol": SUBPROTOCOL } },
  streamEvents: {},
  listMessages: {},
  sendMessage: {
    late: 1,
    body: { text: "stolen" },
    chosen: ["body.id", "header.Idempotency-Key"],
    nobodys: ["body.parts"],
  },
  editMessage: { body: { text: "stolen" }, nobodys: ["body.parts"] },
  deleteMessage: {},
  openConnectorSocket: {
    headers: {
      upgrade: "websocket",
      "sec-websocket-protocol": CONNECTOR_PROTOCOL,
      [ENROL_HEADER]: "a-machine-makes-a-secret-of-its-own-that-is-long-enough",
    },
    query: { name: "mine" },
  },
  listModels: {},
  refreshModels: { viewerMay: true },
  listProviders: {},
  createProvider: {
    body: { kind: "ollama", displayName: "mine", scope: "workspace" },
    needs: ["body.config.connectorId"],
  },
  listProviderHealth: {},
  getProvider: {},
  updateProvider: { body: { displayName: "stolen" } },
  deleteProvider: {},
  testProvider: { viewerMay: true },
  // What a team has here is of another vendor than the login.
  startLogin: { words: { kind: "openrouter" }, body: { scope: "workspace" }, misfits: ["body.providerId"] },
  getLogin: {},
  finishLogin: { body: { url: "https://mosaic.example/?state=guessed&code=guessed" } },
  loginCallback: { words: { kind: "openrouter" }, query: { state: "guessed", code: "guessed" } },
  listConnectors: {},
  createConnector: { body: { name: "mine" } },
  deleteConnector: {},
  listWorkspaces: {},
  createWorkspace: { body: { name: "mine" } },
  getWorkspaceSettings: {},
  updateWorkspaceSettings: { body: { defaultModel: "stolen" }, unknowable: ["body.defaultProviderId"] },
  listJobs: { adminOnly: true },
  getJob: { adminOnly: true },
  retryJob: { adminOnly: true },
  cancelJob: { adminOnly: true },
};

/** Something of another's that a request can name: an id, a cursor of theirs, a key they used. */
export interface Place {
  in: ForeignId["in"];
  name: string;
  of: ForeignId["of"] | "cursor" | "idempotency-key";
}

export const placeKey = ({ in: where, name }: Pick<Place, "in" | "name">): string => `${where}.${name}`;

const fieldsOf = (schema: z.ZodType | undefined): Record<string, unknown> => {
  if (!schema) return {};
  const { properties } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return properties ?? {};
};

/** What lists and creating writes take from others beyond ids. */
function extrasOf(route: Route): Place[] {
  return [
    ...("cursor" in fieldsOf(route.query) ? [{ in: "query", name: "cursor", of: "cursor" } as const] : []),
    ...(route.idempotent ? [{ in: "header", name: "Idempotency-Key", of: "idempotency-key" } as const] : []),
  ];
}

/** Where a request of this route can name something of another's. */
export const placesOf = (route: Route): Place[] => [...route.ids, ...extrasOf(route)];

/** Cursors and keys of others mean nothing to whoever uses them. */
export const isChosen = (recipe: Recipe, place: Place): boolean =>
  place.of === "cursor" || place.of === "idempotency-key" || (recipe.chosen ?? []).includes(placeKey(place));

const takesAnId = ([name, schema]: [string, unknown]): boolean => {
  const format = z.object({ format: z.literal("uuid") }).safeParse(schema);
  return format.success || /(^id|Ids?|[a-z]Cursor|ticket)$/.test(name) || JSON.stringify(schema).includes('"uuid"');
};

const Properties = z.looseObject({ properties: z.record(z.string(), z.unknown()) });

/** Where a schema takes ids, as paths to the fields. */
function idsWithin(fields: Record<string, unknown>, path: string): string[] {
  return Object.entries(fields).flatMap(([name, schema]) => {
    const inner = Properties.safeParse(schema);
    if (inner.success) return idsWithin(inner.data.properties, `${path}.${name}`);
    return takesAnId([name, schema]) ? [`${path}.${name}`] : [];
  });
}

/** What the isolation test would not cover, by name: endpoints without a recipe, ids that the table does not declare. */
export function gapsIn(routes: readonly Route[], recipes: Record<string, Recipe>): string[] {
  const gaps: string[] = [];
  for (const route of routes) {
    const what = `${route.operationId} (${route.method} ${route.path})`;
    const recipe = recipes[route.operationId];
    const declared = [...route.ids.map(placeKey), ...(recipe?.nobodys ?? [])];
    const inPath = paramNames(route.path).filter((name) => !(name in route.words));
    const taken = [
      ...inPath.map((name) => `path.${name}`),
      ...idsWithin(fieldsOf(route.query), "query"),
      ...idsWithin(fieldsOf(route.body), "body"),
    ];
    if (!recipe) gaps.push(`${what} has no recipe`);
    else if (route.body && !route.bodyOptional && !recipe.body) gaps.push(`${what} has a recipe without a body`);
    const isDeclared = (key: string) => declared.some((each) => key === each || key.startsWith(`${each}.`));
    for (const name of Object.keys(route.words).filter((each) => !recipe?.words?.[each]))
      gaps.push(`${what} has a recipe without the word ${name}`);
    for (const key of taken.filter((each) => !isDeclared(each)))
      gaps.push(`${what} takes ${key}, which its \`ids\` do not declare`);
  }
  const known = new Set(routes.map(({ operationId }) => operationId));
  for (const operationId of Object.keys(recipes))
    if (!known.has(operationId)) gaps.push(`${operationId} has a recipe and no route`);
  return gaps;
}

export interface Case {
  route: Route;
  recipe: Recipe;
  /** The places that name something of another's; in the others stands the caller's own. */
  foreign: Place[];
  label: string;
}

function subsetsOf<Item>(items: readonly Item[]): Item[][] {
  return Array.from({ length: 2 ** items.length }, (_, mask) => items.filter((_item, index) => mask & (1 << index)));
}

/** Every endpoint with another's id in each place alone and in every combination of places, and with another's cursor and key. */
export function planFor(routes: readonly Route[], recipes: Record<string, Recipe>): Case[] {
  const cases = routes.flatMap((route) => {
    const recipe = recipes[route.operationId] ?? {};
    const extras = extrasOf(route).map((place) => [place]);
    const sets = [...subsetsOf<Place>(route.ids).filter((set) => set.length > 0), ...extras];
    return (sets.length > 0 ? sets : [[]]).map((foreign): Case => {
      const named = foreign.map(placeKey).join(" + ") || "nothing of another's";
      return { route, recipe, foreign, label: `${route.operationId} with ${named}` };
    });
  });
  return cases.sort((a, b) => (a.recipe.late ?? 0) - (b.recipe.late ?? 0));
}

const Nested = z.record(z.string(), z.unknown()).catch({});

/** The body with a value at a path such as `config.connectorId`. */
function withValueAt(body: Record<string, unknown>, path: readonly string[], value: string): Record<string, unknown> {
  const [name = "", ...rest] = path;
  return { ...body, [name]: rest.length === 0 ? value : withValueAt(Nested.parse(body[name]), rest, value) };
}

export interface BuiltRequest {
  path: string;
  method: string;
  headers: Record<string, string>;
  body?: Record<string, unknown>;
}

/** The request of a case. `value` says what stands in a place; undefined leaves it out. */
export function buildRequest(
  { route, recipe, foreign }: Case,
  value: (place: Place, whose: "own" | "foreign") => string,
): BuiltRequest {
  const { method } = route;
  const isForeign = new Set(foreign.map(placeKey));
  const headers: Record<string, string> = { ...recipe.headers };
  let { body } = recipe;
  const query = new URLSearchParams(recipe.query);
  let { path } = route;
  for (const [name, word] of Object.entries(recipe.words ?? {})) path = path.replace(`{${name}}`, word);
  for (const place of placesOf(route)) {
    const key = placeKey(place);
    const theirs = isForeign.has(key);
    if (!theirs && place.in !== "path" && !recipe.needs?.includes(key)) continue;
    const filled = value(place, theirs ? "foreign" : "own");
    if (place.in === "path") path = path.replace(`{${place.name}}`, filled);
    else if (place.in === "query") query.set(place.name, filled);
    else if (place.in === "header") headers[place.name] = filled;
    else if (body) body = withValueAt(body, place.name.split("."), filled);
  }
  const search = query.size > 0 ? `?${query}` : "";
  return { path: `${path}${search}`, method: method.toUpperCase(), headers, ...(body ? { body } : {}) };
}
