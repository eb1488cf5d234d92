import { v5 } from "uuid";
import { AppError } from "../../domain/app-error.ts";
import type { ProviderRecord, ProviderSecret, SealedCredential } from "../../domain/providers/provider-record.ts";
import { secretHint } from "../../domain/providers/secret-hint.ts";
import type { Scope } from "../../ports/conversation-store.ts";
import { bindingOf, type CredentialVault, VaultError } from "../../ports/credential-vault.ts";
import type { LoginEndpoints } from "../../ports/login-endpoints.ts";
import type { StoredLogin } from "../../ports/login-store.ts";
import type { ProviderStore, StoredProvider } from "../../ports/provider-store.ts";
import { type LoginTarget, whyNotRenewed } from "./login-place.ts";

/** The namespace of instances that logins make; changing it makes a login that was cut off make two. */
const NAMESPACE = "5f6c2a0e-9b1d-4d0c-8a56-3f0f5b8a7c21";

type Given = Pick<ProviderSecret, "apiKey" | "oauth">;

export interface StoreDeps {
  providers: ProviderStore;
  vault: CredentialVault;
  endpoints: LoginEndpoints;
  now: () => Date;
}

/** The instance that a login makes or renews: the same however often it is cut off. */
export const instanceOf = (login: StoredLogin): string => login.providerId ?? v5(login.id, NAMESPACE);

/** Whether a login has left its credential already, which bears its id. */
export async function isStored({ providers }: StoreDeps, scope: Scope, login: StoredLogin): Promise<boolean> {
  return (await providers.find(scope, instanceOf(login)))?.record.credential?.id === login.id;
}

const hintIn = ({ apiKey }: Given): string | null => (apiKey === undefined ? null : secretHint(apiKey));

const credentialOf = (login: StoredLogin, given: Given, sealed: string): SealedCredential => ({
  id: login.id,
  sealed,
  method: given.oauth ? "oauth" : "api-key",
  expiresAtMs: given.oauth?.expiresAtMs ?? null,
  version: 1,
});

async function create(deps: StoreDeps, scope: Scope, login: StoredLogin, given: Given): Promise<StoredProvider> {
  const { kind, workspaceId, ownerUserId } = login;
  const place = { id: instanceOf(login), kind, scope: login.scope, workspaceId, ownerUserId };
  const sealed = await deps.vault.seal(given, bindingOf(place));
  const baseUrl = deps.endpoints.baseUrl(kind);
  const record: ProviderRecord = {
    ...place,
    displayName: login.displayName ?? deps.endpoints.vendorName(kind),
    baseUrl,
    connectorId: null,
    upstream: null,
    // Without an address of its own it is where the operator or the vendor has that API, as with a key.
    route: baseUrl === null ? "operator" : "public",
    credential: credentialOf(login, given, sealed),
    isDefault: false,
    isEnabled: true,
    source: "stored",
    version: 1,
  };
  const hints = { credential: hintIn(given), headers: {} };
  return await deps.providers.create(scope, { record, hints, at: deps.now().toISOString() });
}

/** Headers of a gateway stay what they were; one that cannot be opened any more is set anew by who set it. */
async function headersOf({ vault }: StoreDeps, { credential, ...record }: ProviderRecord): Promise<ProviderSecret> {
  if (!credential) return {};
  try {
    const { headers } = await vault.open(credential.sealed, bindingOf(record));
    return headers ? { headers } : {};
  } catch (error) {
    if (error instanceof VaultError) return {};
    throw error;
  }
}

/** Only over what was looked at: whoever changes the instance in between may have moved it. */
async function renew(deps: StoreDeps, scope: Scope, login: StoredLogin, given: Given, old: StoredProvider) {
  const secret = { ...(await headersOf(deps, old.record)), ...given };
  const sealed = await deps.vault.seal(secret, bindingOf(old.record));
  const headers = Object.fromEntries(
    Object.keys(secret.headers ?? {}).map((name) => [name, old.hints.headers[name] ?? null]),
  );
  const changes = {
    credential: credentialOf(login, given, sealed),
    hints: { credential: hintIn(given), headers },
    at: deps.now().toISOString(),
  };
  return await deps.providers.update(scope, old.record.id, changes, old.record.version);
}

/** Where a login at a vendor's is good: where the operator or the vendor has that API. */
export const targetOf = ({ endpoints }: Pick<StoreDeps, "endpoints">, kind: StoredLogin["kind"]): LoginTarget => ({
  kind,
  baseUrl: endpoints.baseUrl(kind),
  vendorName: endpoints.vendorName(kind),
});

/**
 * Writes down what a login gave. The instance that it renews may have been moved since the login was begun, by somebody
 * who would be handed the token: it is checked again, and written over only as it was checked.
 * @returns the instance as it was before, for a login that renews one; null when that one is gone
 * @throws AppError `forbidden` when the role is too low by now, or the login is not good for the instance any more,
 * `version_conflict` when that was changed this moment, `database_unavailable`
 */
export async function storeLogin(
  deps: StoreDeps,
  scope: Scope,
  login: StoredLogin,
  given: Given,
): Promise<{ replaced: ProviderRecord | null } | null> {
  if (login.providerId === null) {
    await create(deps, scope, login, given);
    return { replaced: null };
  }
  const old = await deps.providers.find(scope, login.providerId);
  if (!old) return null;
  const why = whyNotRenewed(old.record, targetOf(deps, login.kind));
  if (why !== null) throw new AppError("forbidden", why);
  if (!(await renew(deps, scope, login, given, old))) return null;
  return { replaced: old.record };
}
