import { Model } from "../../../shared/contract/model.ts";
import { pageOf } from "../../../shared/contract/primitives.ts";
import { defineRoute } from "../route.ts";

/** How long a vendor's first answer is waited for. */
const PROBE_DEADLINE_MS = 2000;

export const listModels = defineRoute({
  method: "get",
  path: "/api/models",
  operationId: "listModels",
  summary: "The models that can answer here, with prices and health",
  tag: "models",
  answer: { status: 200, description: "All of them.", body: pageOf(Model) },
  handle: async ({ services }) => {
    const instances = await services.providers.instances(PROBE_DEADLINE_MS);
    return { items: instances.flatMap(({ models }) => models), nextCursor: null };
  },
});
