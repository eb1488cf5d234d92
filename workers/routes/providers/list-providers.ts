import { ListProviders, type Provider, ProviderList } from "../../../shared/contract/provider.ts";
import { requireMembership } from "../../personal-workspace.ts";
import { pageFrom } from "../page-from.ts";
import { defineRoute } from "../route.ts";
import { fromEnvironment, fromStore, type KnownProvider, toProvider } from "./provider-view.ts";

const RANKS: Record<Provider["scope"], number> = { user: 1, workspace: 2, system: 3 };

/** The caller's own first, the environment's last, each in the order of its making. */
const PLACES = {
  placeOf: ({ record }: KnownProvider): string =>
    `${record.source === "environment" ? 4 : RANKS[record.scope]}.${record.id}`,
  isPlace: /^[1-4]\.[0-9a-f-]{36}$/,
};

export const listProviders = defineRoute({
  method: "get",
  path: "/api/providers",
  operationId: "listProviders",
  summary: "The providers that the caller may use: their own, their workspaces', everybody's",
  tag: "providers",
  ids: [{ in: "query", name: "workspaceId", of: "workspace" }],
  query: ListProviders,
  withoutDatabase: "Providers are in the database, which cannot be reached right now; try again in a moment.",
  answer: { status: 200, description: "One page, and what one can log in to here.", body: ProviderList },
  handle: async ({ services, scope, principal, signedIn, query }) => {
    const { workspaceId } = query;
    if (workspaceId !== undefined) requireMembership(signedIn.workspaces, workspaceId);
    const stored = await services.providerStore.list(scope, workspaceId);
    const all = [
      ...stored.map(fromStore),
      ...services.providers.environment().map((record) => fromEnvironment(record, services.settings, principal)),
    ];
    const { items, nextCursor } = pageFrom(all, query, PLACES);
    const health = await services.health.of(items.map(({ record }) => record));
    const states = new Map(health.map(({ providerId, state }) => [providerId, state]));
    return {
      items: items.map((known) => toProvider(known, states.get(known.record.id) ?? "unknown")),
      nextCursor,
      logins: services.logins.kinds(),
      privateNetwork: services.settings.ALLOW_PRIVATE_NETWORK,
    };
  },
});
