import { Provider, UpdateProvider } from "../../../shared/contract/provider.ts";
import { AppError, unwrap } from "../../../shared/domain/app-error.ts";
import { planUpdate } from "../../../shared/domain/providers/change-provider.ts";
import type { StoredProvider } from "../../../shared/ports/provider-store.ts";
import { defineRoute, type SignedInCall } from "../route.ts";
import { afterSaving, changeableProvider, requireOwnConnector } from "./find-provider.ts";
import { sealSecret } from "./seal-secret.ts";
import { standingOf } from "./standing.ts";

type Change = SignedInCall<"/{id}", unknown, UpdateProvider>;

const MAX_TRIES = 3;

/** Plans over what is there, and writes only over that. */
async function change(call: Change): Promise<StoredProvider> {
  const { services, scope, params, body, ifVersion } = call;
  const before = await changeableProvider(call, params.id);
  const { record, hints } = before;
  const plan = unwrap(planUpdate(before, body, standingOf(call)));
  const connectorId = plan.changes.connectorId ?? null;
  if (connectorId !== record.connectorId) await requireOwnConnector(call, { connectorId });
  await services.limits.count(scope.userId, "provider-calls");
  const credential = plan.secret && (await sealSecret(services, record, hints, plan.secret));
  const changes = {
    ...plan.changes,
    ...(plan.secret ? { credential, hints: plan.hints } : {}),
    at: services.now().toISOString(),
  };
  const saved = await services.providerStore.update(scope, params.id, changes, ifVersion ?? record.version);
  if (!saved) throw new AppError("not_found", "This provider is gone.");
  // The login that a key takes the place of is of no more use.
  if (body.credential !== undefined) services.background(services.logins.revoke(record));
  return saved;
}

/** A change that names no version goes over whatever somebody else has changed at the same time. */
async function changeAnyVersion(call: Change): Promise<StoredProvider> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await change(call);
    } catch (error) {
      const isStale = error instanceof AppError && error.code === "version_conflict";
      if (!isStale || call.ifVersion !== undefined || tries === MAX_TRIES) throw error;
    }
  }
}

export const updateProvider = defineRoute({
  method: "patch",
  path: "/api/providers/{id}",
  operationId: "updateProvider",
  summary: "Changes a provider, from the next message on",
  tag: "providers",
  ids: [
    { in: "path", name: "id", of: "provider" },
    { in: "body", name: "config.connectorId", of: "connector" },
  ],
  errors: ["url_refused", "version_conflict", "conflict", "rate_limited"],
  body: UpdateProvider,
  versioned: true,
  withoutDatabase:
    "Providers are in the database, which cannot be reached right now. Nothing was changed; try again in a moment.",
  answer: { status: 200, description: "The provider as it is now.", body: Provider },
  handle: async (call) => await afterSaving(call, await changeAnyVersion(call)),
});
