import { ListModels, Model } from "../../../shared/contract/model.ts";
import { pageOf } from "../../../shared/contract/primitives.ts";
import { defineRoute } from "../route.ts";
import { pageOfModels, usableInstances } from "./usable-models.ts";

export const listModels = defineRoute({
  method: "get",
  path: "/api/models",
  operationId: "listModels",
  summary: "The models that can answer the caller, with prices, capabilities and health",
  tag: "models",
  ids: [{ in: "query", name: "workspaceId", of: "workspace" }],
  query: ListModels,
  withoutDatabase: "Providers are in the database, which cannot be reached right now; try again in a moment.",
  answer: { status: 200, description: "The models, those of the preferred provider first.", body: pageOf(Model) },
  handle: async (call) => pageOfModels(await usableInstances(call, call.query.workspaceId), call.query),
});
