import { Provider } from "../../../shared/contract/provider.ts";
import { defineRoute } from "../route.ts";
import { knownProvider, withHealth } from "./find-provider.ts";

export const getProvider = defineRoute({
  method: "get",
  path: "/api/providers/{id}",
  operationId: "getProvider",
  summary: "One provider that the caller may use; its secrets are never read back",
  tag: "providers",
  ids: [{ in: "path", name: "id", of: "provider" }],
  versioned: true,
  withoutDatabase: "Providers are in the database, which cannot be reached right now; try again in a moment.",
  answer: { status: 200, description: "The provider.", body: Provider },
  handle: async (call) => await withHealth(call, await knownProvider(call, call.params.id)),
});
