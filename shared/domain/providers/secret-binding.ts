import type { ProviderRecord } from "./provider-record.ts";

type Bound = Pick<ProviderRecord, "id" | "kind" | "scope" | "workspaceId" | "ownerUserId">;

/** What an instance's secret is sealed for; whoever seals and whoever opens must name the same. */
export const secretBinding = ({ id, kind, scope, workspaceId, ownerUserId }: Bound) => ({
  recordId: id,
  kind,
  scope,
  workspaceId,
  ownerUserId,
});
