import { AppError } from "../../../shared/domain/app-error.ts";
import { defineRoute } from "../route.ts";

export const deleteConnector = defineRoute({
  method: "delete",
  path: "/api/connectors/{id}",
  operationId: "deleteConnector",
  summary: "Hangs up on a machine for good, and removes the providers that it serves",
  tag: "connectors",
  ids: [{ in: "path", name: "id", of: "connector" }],
  withoutDatabase:
    "Machines are listed in the database, which cannot be reached right now. Nothing was removed; try again in a moment.",
  answer: { status: 204, description: "Gone." },
  handle: async ({ services, scope, params }) => {
    const gone = () => new AppError("not_found", "There is no such machine among yours.");
    if (!(await services.connectors.find(scope, params.id))) throw gone();
    const served = (await services.providerStore.list(scope)).filter(({ record }) => record.connectorId === params.id);
    // First: once the row is gone nobody could ask for it again.
    await services.connectorGateway.end(params.id);
    if (!(await services.connectors.remove(scope, params.id))) throw gone();
    services.background(services.health.forget(served.map(({ record }) => record.id)));
    return undefined;
  },
});
