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

const refuse = (message: string): never => {
  throw new AppError("invalid_request", message, { errors: [{ path: "providerId", message }] });
};

/**
 * The place of an instance whose login is renewed.
 * @throws AppError `invalid_request` where a login is not good for it, `forbidden`
 */
export function placeToRenew(
  starter: LoginStarter,
  record: ProviderRecord,
  login: { kind: ConnectableKind; baseUrl: string | null; vendorName: string },
): Place {
  if (record.source === "environment") return refuse(whyReadOnly(record.kind));
  if (record.kind !== login.kind)
    return refuse(`That provider is not one of ${login.vendorName}'s; leave \`providerId\` out to connect a new one.`);
  // A token goes only where the login is for: whoever set another address would be handed it.
  if (record.baseUrl !== login.baseUrl || record.connectorId !== null)
    return refuse(
      `That provider has an address of its own, where a login at ${login.vendorName} is not good; give it an API key, or connect a new one.`,
    );
  return placeOf(starter, record);
}
