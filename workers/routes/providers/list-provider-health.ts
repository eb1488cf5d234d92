import * as z from "zod";
import { ProviderHealth } from "../../../shared/contract/model.ts";
import { defineRoute } from "../route.ts";

export const listProviderHealth = defineRoute({
  method: "get",
  path: "/api/providers/health",
  operationId: "listProviderHealth",
  summary: "How the providers fare that the caller may use",
  tag: "providers",
  withoutDatabase: "Providers are in the database, which cannot be reached right now; try again in a moment.",
  answer: { status: 200, description: "All of them.", body: z.object({ items: z.array(ProviderHealth) }) },
  handle: async ({ services, scope }) => {
    const stored = await services.providerStore.list(scope);
    const records = stored.map(({ record }) => record).filter(({ isEnabled }) => isEnabled);
    return { items: await services.health.of([...records, ...services.providers.environment()]) };
  },
});
