import { CreateConnector, CreatedConnector } from "../../../shared/contract/connector.ts";
import { defineRoute } from "../route.ts";
import { toConnector } from "./connector-view.ts";
import { freeName } from "./free-name.ts";
import { oneTimeToken } from "./one-time-token.ts";

const TOKEN_LIFETIME_MS = 15 * 60_000;

const WithoutToken = CreatedConnector.omit({ token: true });

export const createConnector = defineRoute({
  method: "post",
  path: "/api/connectors",
  operationId: "createConnector",
  summary:
    "Makes a one-time token with which a machine dials in; a machine of that name that is not online gets a new token, and where one is online the new one is called by the next free name",
  tag: "connectors",
  body: CreateConnector,
  idempotent: true,
  kept: {
    keep: ({ token: _, ...rest }) => rest,
    tellAgain: async (kept, { services, newId }) => {
      const connector = WithoutToken.parse(kept);
      const { tokenFor } = await oneTimeToken(services.settings, newId);
      return { ...connector, token: tokenFor(connector.id) };
    },
  },
  withoutDatabase:
    "Machines are listed in the database, which cannot be reached right now. Nothing was made; try again in a moment.",
  answer: {
    status: 201,
    description: "The machine, and its token: shown now and never again.",
    body: CreatedConnector,
  },
  handle: async ({ services, scope, body, newId }) => {
    const { hash, tokenFor } = await oneTimeToken(services.settings, newId);
    const now = services.now();
    const at = now.toISOString();
    const expiresAt = new Date(now.getTime() + TOKEN_LIFETIME_MS).toISOString();
    const name = await freeName(services.connectors, scope, body.name, null);
    const made = { id: newId, name, tokenHash: hash, tokenExpiresAt: expiresAt, at };
    const connector = toConnector(await services.connectors.create(scope, made));
    return { ...connector, token: tokenFor(connector.id), expiresAt };
  },
});
