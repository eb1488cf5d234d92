import { AppError } from "../../../shared/domain/app-error.ts";
import { defineRoute } from "../route.ts";
import { changeableProvider } from "./find-provider.ts";

export const deleteProvider = defineRoute({
  method: "delete",
  path: "/api/providers/{id}",
  operationId: "deleteProvider",
  summary: "Removes a provider with its key; it answers no message from the next one on",
  tag: "providers",
  ids: [{ in: "path", name: "id", of: "provider" }],
  errors: ["version_conflict"],
  versioned: true,
  withoutDatabase:
    "Providers are in the database, which cannot be reached right now. Nothing was removed; try again in a moment.",
  answer: { status: 204, description: "Gone." },
  handle: async (call) => {
    const { services, scope, params, ifVersion } = call;
    const { record } = await changeableProvider(call, params.id);
    if (!(await services.providerStore.remove(scope, params.id, ifVersion)))
      throw new AppError("not_found", "This provider is gone.");
    services.background(services.logins.revoke(record));
    services.background(services.health.forget([record.id]));
    return undefined;
  },
});
