import { CreateProvider, Provider } from "../../../shared/contract/provider.ts";
import { AppError, unwrap } from "../../../shared/domain/app-error.ts";
import { planCreation, whyNotChange } from "../../../shared/domain/providers/change-provider.ts";
import type { ProviderRecord } from "../../../shared/domain/providers/provider-record.ts";
import { personalWorkspaceId, requireMembership } from "../../personal-workspace.ts";
import { defineRoute, type SignedInCall } from "../route.ts";
import { afterSaving, requireOwnConnector } from "./find-provider.ts";
import { sealSecret } from "./seal-secret.ts";
import { standingOf } from "./standing.ts";

/** @throws AppError `not_found` for another's workspace, `forbidden` for a role that is too low */
function workspaceFor({ body, principal, signedIn }: SignedInCall<string, unknown, CreateProvider>): string | null {
  const { scope } = body;
  const workspaceId = scope === "workspace" ? (body.workspaceId ?? personalWorkspaceId(signedIn.workspaces)) : null;
  if (workspaceId !== null) requireMembership(signedIn.workspaces, workspaceId);
  const why = whyNotChange(principal, { scope, workspaceId });
  if (why !== null) throw new AppError("forbidden", why, { errors: [{ path: "scope", message: why }] });
  return workspaceId;
}

export const createProvider = defineRoute({
  method: "post",
  path: "/api/providers",
  operationId: "createProvider",
  summary: "Connects a provider; it can answer from the next message on",
  tag: "providers",
  ids: [
    { in: "body", name: "workspaceId", of: "workspace" },
    { in: "body", name: "config.connectorId", of: "connector" },
  ],
  errors: ["url_refused", "not_found", "rate_limited"],
  body: CreateProvider,
  idempotent: true,
  versioned: true,
  withoutDatabase:
    "Providers are in the database, which cannot be reached right now. Nothing was saved; try again in a moment.",
  answer: { status: 201, description: "The provider, without its secrets.", body: Provider },
  handle: async (call) => {
    const { services, scope, principal, body, newId } = call;
    const { kind, displayName, isDefault, isEnabled } = body;
    const workspaceId = workspaceFor(call);
    const { place, secret, hints } = unwrap(planCreation(body, standingOf(call)));
    await requireOwnConnector(call, place);
    await services.limits.count(principal.userId, "provider-calls");
    const record: ProviderRecord = {
      id: newId,
      kind,
      displayName,
      scope: body.scope,
      workspaceId,
      ownerUserId: principal.userId,
      ...place,
      credential: null,
      isDefault,
      isEnabled,
      source: "stored",
      version: 1,
    };
    const credential = secret && (await sealSecret(services, record, { credential: null, headers: {} }, secret));
    const at = services.now().toISOString();
    const stored = await services.providerStore.create(scope, { record: { ...record, credential }, hints, at });
    return await afterSaving(call, stored);
  },
});
