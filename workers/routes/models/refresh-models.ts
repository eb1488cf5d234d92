import { ListModels, Model } from "../../../shared/contract/model.ts";
import { pageOf } from "../../../shared/contract/primitives.ts";
import { waitAtMost } from "../../wait-at-most.ts";
import { defineRoute } from "../route.ts";
import { instancesOf, pageOfModels, usableConfiguration } from "./usable-models.ts";

/** As many as one request may have open at once, so that one that hangs holds up few others. */
const AT_ONCE = 5;
const DEADLINE_MS = 10_000;

async function inTurn<Item>(items: readonly Item[], work: (item: Item) => Promise<unknown>): Promise<void> {
  const waiting = [...items];
  const worker = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

export const refreshModels = defineRoute({
  method: "post",
  path: "/api/models/refresh",
  operationId: "refreshModels",
  summary: "Asks the caller's providers for their models, now; costs no tokens",
  tag: "models",
  ids: [{ in: "query", name: "workspaceId", of: "workspace" }],
  query: ListModels,
  errors: ["rate_limited"],
  withoutDatabase: "Providers are in the database, which cannot be reached right now; try again in a moment.",
  answer: { status: 200, description: "The models as they are listed now.", body: pageOf(Model) },
  handle: async (call) => {
    const { services, scope, query } = call;
    await services.limits.count(scope.userId, "model-refreshes");
    const { providers } = await usableConfiguration(call, query.workspaceId);
    const asked = inTurn([...providers, ...services.providers.environment()], (record) =>
      services.health.probe(record),
    );
    services.background(asked);
    await waitAtMost(services.timers, DEADLINE_MS, asked);
    return pageOfModels(instancesOf(call, await usableConfiguration(call, query.workspaceId)), query);
  },
});
