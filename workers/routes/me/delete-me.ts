import { unwrap } from "../../../shared/domain/app-error.ts";
import type { ProviderRecord } from "../../../shared/domain/providers/provider-record.ts";
import { defineRoute } from "../route.ts";

export const deleteMe = defineRoute({
  method: "delete",
  path: "/api/me",
  operationId: "deleteMe",
  summary: "Deletes the account with everything it owns; there is no way back",
  tag: "me",
  withoutDatabase: "Deleting an account needs the database, which cannot be reached right now; try again in a moment.",
  answer: { status: 204, description: "Gone." },
  handle: async ({ services, rooms, principal, signedIn, scope, request }) => {
    // Each goes whole or not at all; where the database goes away in the middle, asking again ends what is left.
    for (const id of await services.conversations.ownIds(scope)) {
      unwrap(await rooms.conversation(id).removeOwned(principal));
    }
    for (const { id } of await services.connectors.list(scope)) await services.connectorGateway.end(id);
    // What others go on using stays as it is.
    const personal = signedIn.workspaces.find((workspace) => workspace.personal)?.id;
    const goes = ({ scope: of, workspaceId }: ProviderRecord) =>
      of === "user" || (of === "workspace" && workspaceId === personal);
    const providers = (await services.providerStore.list(scope)).map(({ record }) => record).filter(goes);
    await Promise.all(providers.map((record) => services.logins.revoke(record)));
    await services.signIn.deleteUser(principal, request.headers);
    // Now that no answer of theirs is left to bring news.
    services.background(services.health.forget(providers.map(({ id }) => id)));
    return undefined;
  },
});
