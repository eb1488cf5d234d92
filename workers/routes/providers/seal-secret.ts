import { AppError } from "../../../shared/domain/app-error.ts";
import type { Hints } from "../../../shared/domain/providers/change-provider.ts";
import type { ProviderRecord, SealedCredential } from "../../../shared/domain/providers/provider-record.ts";
import { bindingOf, type SecretChange, VaultError } from "../../../shared/ports/credential-vault.ts";
import type { Services } from "../../../shared/runtime/services.ts";

/** Whether something of the old secret stays: only then is it opened, so that a lost one can be replaced. */
const keepsSome = ({ credential }: ProviderRecord, hints: Hints, { apiKey, headers }: SecretChange): boolean =>
  (apiKey === undefined && (credential?.method ?? null) !== null) ||
  (headers === undefined && Object.keys(hints.headers).length > 0);

/**
 * The sealed secret of an instance after a change, null when nothing is left of it. `before` are the hints as they were.
 * @throws AppError `conflict` when what stays cannot be opened any more
 */
export async function sealSecret(
  { vault, newId }: Pick<Services, "vault" | "newId">,
  record: ProviderRecord,
  before: Hints,
  change: SecretChange,
): Promise<SealedCredential | null> {
  const { credential } = record;
  const old = keepsSome(record, before, change) ? (credential?.sealed ?? null) : null;
  const sealed = await vault.amend(old, bindingOf(record), change).catch((error: unknown) => {
    if (error instanceof VaultError) throw new AppError("conflict", error.message, { cause: error });
    throw error;
  });
  if (sealed === null) return null;
  const isReplaced = change.apiKey !== undefined;
  return {
    id: credential?.id ?? newId(),
    sealed,
    method: isReplaced ? (change.apiKey === null ? null : "api-key") : (credential?.method ?? null),
    expiresAtMs: isReplaced ? null : (credential?.expiresAtMs ?? null),
    version: (credential?.version ?? 0) + 1,
  };
}
