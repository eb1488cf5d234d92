import { Connector } from "../../../shared/contract/connector.ts";
import { Page, pageOf } from "../../../shared/contract/primitives.ts";
import { pageFrom } from "../page-from.ts";
import { defineRoute } from "../route.ts";
import { toConnector } from "./connector-view.ts";

const PLACES = { placeOf: ({ id }: Connector): string => id, isPlace: /^[0-9a-f-]{36}$/ };

export const listConnectors = defineRoute({
  method: "get",
  path: "/api/connectors",
  operationId: "listConnectors",
  summary: "The caller's machines that dial in, and what each offers",
  tag: "connectors",
  query: Page,
  withoutDatabase: "Machines are listed in the database, which cannot be reached right now; try again in a moment.",
  answer: { status: 200, description: "One page.", body: pageOf(Connector) },
  handle: async ({ services, scope, query }) =>
    pageFrom((await services.connectors.list(scope)).map(toConnector), query, PLACES),
});
