import * as z from "zod";
import { ProviderHealth } from "../../../shared/contract/model.ts";
import { defineRoute } from "../route.ts";

export const listProviderHealth = defineRoute({
  method: "get",
  path: "/api/providers/health",
  operationId: "listProviderHealth",
  summary: "How the providers fare",
  tag: "providers",
  answer: { status: 200, description: "All of them.", body: z.object({ items: z.array(ProviderHealth) }) },
  handle: async ({ services }) => ({ items: await services.providers.health() }),
});
