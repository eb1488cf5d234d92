import type { ConnectableKind, ProviderScope } from "../../contract/provider.ts";
import { AppError } from "../../domain/app-error.ts";
import { whyNotChange, whyReadOnly } from "../../domain/providers/change-provider.ts";
import type { ProviderRecord } from "../../domain/providers/provider-record.ts";
import type { LoginStarter } from "../../ports/provider-logins.ts";

export interface Place {
  scope: ProviderScope;
  workspaceId: string | null;
}

/**
 * For whom a login is. Postgres checks the same when it is stored; asked here first, nobody logs in at a vendor in vain.
 * @throws AppError `forbidden`, `not_found`
 */
export function placeOf(
  starter: LoginStarter,
  wish: { scope: ProviderScope; workspaceId?: string | null | undefined },
): Place {
  const { scope } = wish;
  const workspaceId = scope === "workspace" ? (wish.workspaceId ?? null) : null;
  if (scope === "workspace" && !starter.workspaces.some(({ id }) => id === workspaceId))
    throw new AppError("not_found", "There is no such workspace, or you are not a member of it.");
  const why = whyNotChange(starter, { scope, workspaceId });
  if (why !== null) throw new AppError("forbidden", why);
  return { scope, workspaceId };
}

/** Where a login is good. */
export interface LoginTarget {
  kind: ConnectableKind;
  baseUrl: string | null;
  vendorName: string;
}

/** Why a login is not good for an instance that it is to renew; null when it is. */
export function whyNotRenewed(record: ProviderRecord, login: LoginTarget): string | null {
  if (record.source === "environment") return whyReadOnly(record.kind);
  if (record.kind !== login.kind)
    return `That provider is not one of ${login.vendorName}'s; leave \`providerId\` out to connect a new one.`;
  // A token goes only where the login is for: whoever set another address would be handed it.
  if (record.baseUrl !== login.baseUrl || record.connectorId !== null)
    return `That provider has an address of its own, where a login at ${login.vendorName} is not good; give it an API key, or connect a new one.`;
  return null;
}

/**
 * The place of an instance whose login is renewed.
 * @throws AppError `invalid_request` where a login is not good for it, `forbidden`
 */
export function placeToRenew(starter: LoginStarter, record: ProviderRecord, login: LoginTarget): Place {
  const why = whyNotRenewed(record, login);
  if (why !== null) throw new AppError("invalid_request", why, { errors: [{ path: "providerId", message: why }] });
  return placeOf(starter, record);
}
