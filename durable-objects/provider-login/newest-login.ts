import type { ProviderRecord, SealedCredential } from "../../shared/domain/providers/provider-record.ts";
import { bindingOf } from "../../shared/ports/credential-vault.ts";
import { type KeeperDeps, pauseMs } from "./keeper-deps.ts";
import type { Bound, KeptLogin, LiveLogin } from "./kept-login.ts";
import { fingerprint, openSecret } from "./open-secret.ts";

const boundOf = ({ id, kind, scope, workspaceId, ownerUserId }: ProviderRecord): Bound => ({
  id,
  kind,
  scope,
  workspaceId,
  ownerUserId,
});

const asGiven = (record: ProviderRecord, credential: SealedCredential, spent: string[]): LiveLogin => ({
  state: "live",
  bound: boundOf(record),
  credential,
  savedVersion: credential.version,
  saveTries: null,
  spent,
});

/**
 * Somebody changed the credential in Postgres beside us. Who changed its headers only, kept tokens that were used up here
 * meanwhile: then theirs are the headers and ours the tokens.
 */
async function reconcile(
  deps: KeeperDeps,
  kept: LiveLogin,
  record: ProviderRecord,
  given: SealedCredential,
): Promise<LiveLogin> {
  const plain = asGiven(record, given, kept.spent);
  const [theirs, ours] = await Promise.all([openSecret(deps, plain), openSecret(deps, kept)]);
  const token = theirs.ok ? theirs.secret.oauth?.refreshToken : undefined;
  if (!theirs.ok || !ours.ok || !ours.secret.oauth || token === undefined) return plain;
  if (!kept.spent.includes(await fingerprint(token))) return plain;
  const sealed = await deps.vault.seal({ ...theirs.secret, oauth: ours.secret.oauth }, bindingOf(plain.bound));
  const version = Math.max(given.version, kept.credential.version) + 1;
  const { expiresAtMs } = kept.credential;
  return { ...plain, credential: { ...given, sealed, expiresAtMs, version }, saveTries: 0 };
}

/** What is kept here, and what the caller has read in Postgres, whichever is newer; written down. */
export async function newestLogin(
  deps: KeeperDeps,
  record: ProviderRecord,
  given: SealedCredential,
): Promise<KeptLogin> {
  const kept = deps.book.read();
  if (kept?.state === "revoking") return kept;
  if (kept?.state === "ended" && kept.version >= given.version) return kept;
  if (kept?.state !== "live") return write(deps, asGiven(record, given, []));
  if (given.sealed === kept.credential.sealed)
    return kept.savedVersion === given.version
      ? kept
      : write(deps, { ...kept, savedVersion: given.version, saveTries: null });
  if (given.version > kept.savedVersion) return write(deps, await reconcile(deps, kept, record, given));
  if (given.version < kept.credential.version || (await openSecret(deps, kept)).ok) return kept;
  // The key ring was rotated: the same secret under a newer key.
  return write(deps, asGiven(record, given, kept.spent));
}

function write(deps: KeeperDeps, login: LiveLogin): LiveLogin {
  const isBehind = login.saveTries !== null;
  deps.book.write(login, isBehind ? deps.now().getTime() + pauseMs(0) : null);
  if (isBehind) deps.save();
  return login;
}
