import { isFresh } from "../../domain/providers/is-fresh.ts";
import type { ProviderRecord, SealedCredential } from "../../domain/providers/provider-record.ts";
import { ProviderError, type ProviderFailure } from "../../ports/model-provider.ts";
import type { FreshCredential, ProviderLoginObject } from "../../ports/provider-logins.ts";
import { vendorOf } from "../providers/access.ts";
import { failureOf } from "../providers/errors.ts";

interface Deps {
  object(credentialId: string): ProviderLoginObject;
  now: () => Date;
}

async function ask(
  { object }: Deps,
  record: ProviderRecord,
  { id }: SealedCredential,
  refused: SealedCredential | undefined,
): Promise<FreshCredential> {
  try {
    return await object(id).fresh(record, refused);
  } catch {
    // The object was reset; a new one reads what the old one wrote down.
    return await object(id).fresh(record, refused);
  }
}

const unreachable = (): ProviderError =>
  new ProviderError({
    kind: "server_error",
    message: "The login of this provider could not be renewed right now; try again in a moment.",
    retryable: true,
  });

function failureIn(record: ProviderRecord, answer: Extract<FreshCredential, { ok: false }>): ProviderFailure {
  if (answer.why === "unavailable") return { kind: "unreachable", message: answer.message, retryable: true };
  if (answer.why === "misconfigured") return { kind: "unauthenticated", message: answer.message, retryable: false };
  const credential = answer.why === "ended" ? "login-ended" : answer.why;
  return failureOf("unauthenticated", vendorOf(record), { credential });
}

/** @throws ProviderError */
export async function freshThrough(
  deps: Deps,
  record: ProviderRecord,
  refused?: SealedCredential,
): Promise<SealedCredential> {
  const { credential } = record;
  if (!credential) throw unreachable();
  const { method, expiresAtMs } = credential;
  const nowMs = deps.now().getTime();
  if (method !== "oauth" || (!refused && isFresh(credential, nowMs))) return credential;
  let answer: FreshCredential;
  try {
    answer = await ask(deps, record, credential, refused);
  } catch {
    if (!refused && expiresAtMs !== null && expiresAtMs > nowMs) return credential;
    throw unreachable();
  }
  if (answer.ok) return answer.credential;
  throw new ProviderError(failureIn(record, answer));
}

/** Never throws: what cannot be told to a vendor is no reason to keep an instance. */
export async function revokeThrough({ object }: Pick<Deps, "object">, record: ProviderRecord): Promise<void> {
  const { credential } = record;
  if (credential?.method !== "oauth") return;
  try {
    await object(credential.id).revoke(record);
  } catch (error) {
    const name = error instanceof Error ? error.name : "unknown";
    console.error(JSON.stringify({ level: "error", message: "a login could not be revoked", kind: record.kind, name }));
  }
}
