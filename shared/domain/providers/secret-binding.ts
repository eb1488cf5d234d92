import type { ProviderRecord } from "./provider-record.ts";

/** What a secret is bound to: opened with any other, it is refused. */
export interface SecretBinding {
  /** Of the provider instance. */
  recordId: string;
  kind: string;
  scope: string;
  /** Null unless the scope is workspace. */
  workspaceId: string | null;
  /** Null where nobody owns it. */
  ownerUserId: string | null;
}

/** The one way in which a record names its secret: whoever seals, opens or re-wraps it must say the same. */
export const bindingOf = (
  record: Pick<ProviderRecord, "id" | "kind" | "scope" | "workspaceId" | "ownerUserId">,
): SecretBinding => ({
  recordId: record.id,
  kind: record.kind,
  scope: record.scope,
  workspaceId: record.workspaceId,
  ownerUserId: record.ownerUserId,
});
