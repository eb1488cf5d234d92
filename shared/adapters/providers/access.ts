/** How an adapter reaches one instance: its address, its way out, and the secret, opened for each call anew. */
import type { ConnectableKind } from "../../contract/provider.ts";
import type { ProviderRecord, ProviderSecret, SealedCredential } from "../../domain/providers/provider-record.ts";
import { bindingOf, type CredentialVault, VaultError } from "../../ports/credential-vault.ts";
import { ProviderError } from "../../ports/model-provider.ts";
import { failureOf, type SentenceFacts, type Vendor } from "./errors.ts";
import { rootOf, VENDORS } from "./vendors.ts";
import type { Fetch } from "./watched-fetch.ts";

/** What a call is signed in with. Lives as long as that call. */
export interface OpenedSecret {
  apiKey: string | null;
  /** From a login; sent as a bearer token. Wins over the key. */
  accessToken: string | null;
  /** For a gateway in front of the model server. */
  headers: Readonly<Record<string, string>>;
}

export interface Access {
  /** The API's root, as `rootOf` makes it. */
  baseUrl: string;
  /**
   * For the call of this vendor. Goes to the root's origin only, whatever it is asked for. Where a login's token is
   * refused before its time, the request goes out once more with a new one; it rejects with a ProviderError where none
   * can be had.
   */
  fetchFor(vendor: Vendor): Fetch;
  /** A new one for each call. */
  vendor(): Vendor;
  /**
   * Opens the secret and tells the vendor's sentences what to keep out.
   * @throws ProviderError `unauthenticated` when there is none, or none that can be opened
   */
  open(vendor: Vendor): Promise<OpenedSecret>;
}

export interface AccessDeps {
  vault: Pick<CredentialVault, "open">;
  /** The environment's own secrets, by instance. */
  secretOf(id: string): ProviderSecret | null;
  fetchFor(record: ProviderRecord): Fetch;
  /** Where the operator wants a vendor asked instead of at its own address; null where that is not said. */
  operatorBaseUrl(kind: ConnectableKind): string | null;
  /** A credential of a login that is good for another minute, and another than `refused`. @throws ProviderError */
  fresh(record: ProviderRecord, refused?: SealedCredential): Promise<SealedCredential>;
}

const isGeneric = (record: ProviderRecord): boolean => record.kind === "openai-compatible";

/** What the sentences on an instance are made from. */
export function vendorOf(record: ProviderRecord, baseUrl = rootOf(record.kind, record.baseUrl)): Vendor {
  const displayName = record.source === "environment" ? null : record.displayName;
  const { name } = VENDORS[record.kind];
  return {
    name: isGeneric(record) ? `${name} "${record.displayName}"` : name,
    kind: record.kind,
    baseUrl,
    displayName,
    isLogin: record.credential?.method === "oauth",
    isConnector: record.route === "connector",
    secrets: [],
  };
}

function refuse(vendor: Vendor, credential: NonNullable<SentenceFacts["credential"]>): ProviderError {
  return new ProviderError(failureOf("unauthenticated", vendor, { credential }));
}

async function unsealed(
  { vault }: AccessDeps,
  record: ProviderRecord,
  vendor: Vendor,
  credential: SealedCredential,
): Promise<ProviderSecret> {
  try {
    return await vault.open(credential.sealed, bindingOf(record));
  } catch (thrown) {
    if (!(thrown instanceof VaultError)) throw thrown;
    throw refuse(vendor, thrown.why === "unknown-key" ? "sealed-by-lost-key" : "damaged");
  }
}

/** The same request with another token; null where it cannot be sent a second time. */
function resigned(init: RequestInit | undefined, token: string, next: string): RequestInit | null {
  if (init?.body && typeof init.body !== "string") return null;
  const headers = new Headers(init?.headers);
  for (const [name, value] of headers) headers.set(name, value.replaceAll(token, next));
  return { ...init, headers };
}

export function accessTo(record: ProviderRecord, deps: AccessDeps): Access {
  const operators = record.route === "operator" ? deps.operatorBaseUrl(record.kind) : null;
  const baseUrl = rootOf(record.kind, record.baseUrl ?? operators);
  const send = deps.fetchFor(record);
  /** What each call of a login is signed in with. */
  const signedIn = new WeakMap<Vendor, { credential: SealedCredential; token: string }>();
  const secretOf = async (vendor: Vendor): Promise<ProviderSecret | null> => {
    if (record.source === "environment") return deps.secretOf(record.id);
    const isLogin = record.credential?.method === "oauth";
    const credential = isLogin ? await deps.fresh(record) : record.credential;
    if (!credential) return null;
    const secret = await unsealed(deps, record, vendor, credential);
    const token = secret.oauth?.accessToken;
    if (isLogin && token) signedIn.set(vendor, { credential, token });
    return secret;
  };
  /** A refused request as it goes out once more; null where there is nothing else to sign it with. */
  const again = async (vendor: Vendor, init: RequestInit | undefined): Promise<RequestInit | null> => {
    const refused = signedIn.get(vendor);
    if (!refused) return null;
    const credential = await deps.fresh(record, refused.credential);
    if (credential.sealed === refused.credential.sealed) return null;
    const token = (await unsealed(deps, record, vendor, credential)).oauth?.accessToken;
    if (!token || token === refused.token) return null;
    vendor.secrets.push(token);
    return resigned(init, refused.token, token);
  };
  return {
    baseUrl,
    vendor: () => vendorOf(record, baseUrl),
    fetchFor: (vendor) => async (input, init) => {
      const url = input instanceof Request ? input.url : input;
      // A key goes only where it was saved for, also when an SDK has ideas of its own.
      if (new URL(url).origin !== new URL(baseUrl).origin) throw new Error("The request leaves the saved address.");
      const response = await send(input, init);
      const next = response.status === 401 && !(input instanceof Request) ? await again(vendor, init) : null;
      if (!next) return response;
      await response.body?.cancel();
      return await send(input, next);
    },
    open: async (vendor) => {
      const secret = await secretOf(vendor);
      const apiKey = secret?.apiKey || null;
      const accessToken = secret?.oauth?.accessToken || null;
      const headers = secret?.headers ?? {};
      vendor.secrets.push(...[apiKey ?? "", accessToken ?? "", ...Object.values(headers)].filter(Boolean));
      if (apiKey === null && accessToken === null && !VENDORS[record.kind].isOpen) throw refuse(vendor, "missing");
      return { apiKey, accessToken, headers };
    },
  };
}

/** The usual way to sign in, where there is anything to sign in with. */
export function bearerHeaders({ apiKey, accessToken, headers }: OpenedSecret): Record<string, string> {
  const token = accessToken ?? apiKey;
  return { ...headers, ...(token === null ? {} : { authorization: `Bearer ${token}` }) };
}
