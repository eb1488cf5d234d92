import { ProviderTest } from "../../../shared/contract/provider.ts";
import { defineRoute } from "../route.ts";
import { recordOf } from "./find-provider.ts";

export const testProvider = defineRoute({
  method: "post",
  path: "/api/providers/{id}/test",
  operationId: "testProvider",
  summary: "Asks a provider for its models, now; costs no tokens",
  tag: "providers",
  ids: [{ in: "path", name: "id", of: "provider" }],
  errors: ["rate_limited"],
  withoutDatabase: "Providers are in the database, which cannot be reached right now; try again in a moment.",
  answer: {
    status: 200,
    description: "How it went; a provider that fails is `ok: false`, not an error.",
    body: ProviderTest,
  },
  handle: async (call) => {
    const { services, scope } = call;
    const record = await recordOf(call, call.params.id);
    await services.limits.count(scope.userId, "provider-calls");
    const probed = await services.health.probe(record);
    const { ok, latencyMs, models, error } = probed;
    return {
      ok,
      latencyMs: Math.round(latencyMs),
      models: models.length,
      ...(error === null ? {} : { error }),
    };
  },
});
