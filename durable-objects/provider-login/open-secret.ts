import type { ProviderSecret, SealedCredential } from "../../shared/domain/providers/provider-record.ts";
import { bindingOf, VaultError } from "../../shared/ports/credential-vault.ts";
import type { FreshCredential } from "../../shared/ports/provider-logins.ts";
import type { KeeperDeps } from "./keeper-deps.ts";
import type { Bound } from "./kept-login.ts";

type Opened = { ok: true; secret: ProviderSecret } | Extract<FreshCredential, { ok: false }>;

/** The secret of a credential, or why there is none. */
export async function openSecret(
  { vault }: Pick<KeeperDeps, "vault">,
  { bound, credential }: { bound: Bound; credential: SealedCredential },
): Promise<Opened> {
  try {
    return { ok: true, secret: await vault.open(credential.sealed, bindingOf(bound)) };
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    return { ok: false, why: error.why === "unknown-key" ? "sealed-by-lost-key" : "damaged" };
  }
}

/** SHA-256 in hex. */
export async function fingerprint(token: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
