import * as z from "zod";
import { Connector, CreatedConnector } from "../contract/connector.ts";
import { Model, ProviderHealth } from "../contract/model.ts";
import { pageOf } from "../contract/primitives.ts";
import {
  type ConnectableKind,
  type CreateProvider,
  Provider,
  ProviderList,
  ProviderLogin,
  ProviderTest,
  StartedLogin,
  type StartLogin,
  type UpdateProvider,
} from "../contract/provider.ts";
import { parseJson, type RequestText } from "./http.ts";

const Connectors = pageOf(Connector);
const Models = pageOf(Model);
const Healths = z.object({ items: z.array(ProviderHealth) });

/** As many as a page may hold. */
const LIMIT = 200;

const provider = (id: string, rest = ""): string => `/api/providers/${encodeURIComponent(id)}${rest}`;
const login = (id: string, rest = ""): string => `/api/providers/logins/${encodeURIComponent(id)}${rest}`;

interface Page<Item> {
  items: Item[];
  nextCursor: string | null;
}

/** Every page of a list, in order. */
async function everyPage<Item>(read: (query: { limit: number; cursor?: string }) => Promise<Page<Item>>) {
  const items: Item[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page: Page<Item> = await read(cursor === undefined ? { limit: LIMIT } : { limit: LIMIT, cursor });
    items.push(...page.items);
    cursor = page.nextCursor;
  }
  return items;
}

export function providerCalls(request: RequestText) {
  return {
    list: async () => parseJson(ProviderList, await request("GET", "/api/providers", { query: { limit: LIMIT } })),
    get: async (id: string) => parseJson(Provider, await request("GET", provider(id))),
    create: async (body: z.input<typeof CreateProvider>) =>
      parseJson(Provider, await request("POST", "/api/providers", { body })),
    update: async (id: string, body: z.input<typeof UpdateProvider>) =>
      parseJson(Provider, await request("PATCH", provider(id), { body })),
    remove: async (id: string): Promise<void> => {
      await request("DELETE", provider(id));
    },
    /** Asks the vendor for its models, now. */
    test: async (id: string) => parseJson(ProviderTest, await request("POST", provider(id, "/test"))),
    health: async () => parseJson(Healths, await request("GET", "/api/providers/health")).items,
    startLogin: async (kind: ConnectableKind, body: z.input<typeof StartLogin> = {}) =>
      parseJson(StartedLogin, await request("POST", provider(kind, "/login"), { body })),
    login: async (loginId: string) => parseJson(ProviderLogin, await request("GET", login(loginId))),
    /** Ends a login with the address that the vendor sent the browser to. */
    finishLogin: async (loginId: string, url: string) =>
      parseJson(ProviderLogin, await request("POST", login(loginId, "/redirect"), { body: { url } })),
  };
}

export function modelCalls(request: RequestText) {
  return {
    list: () => everyPage(async (query) => parseJson(Models, await request("GET", "/api/models", { query }))),
    /** Has every vendor asked for its list anew. */
    refresh: async (): Promise<void> => {
      await request("POST", "/api/models/refresh");
    },
  };
}

export function connectorCalls(request: RequestText) {
  return {
    list: async () => parseJson(Connectors, await request("GET", "/api/connectors", { query: { limit: LIMIT } })).items,
    /** Its token is answered this once. */
    create: async (name: string) =>
      parseJson(CreatedConnector, await request("POST", "/api/connectors", { body: { name } })),
    remove: async (id: string): Promise<void> => {
      await request("DELETE", `/api/connectors/${encodeURIComponent(id)}`);
    },
  };
}
