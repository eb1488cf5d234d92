import { AppError } from "../../domain/app-error.ts";
import type { ProviderSecret } from "../../domain/providers/provider-record.ts";
import type { Scope } from "../../ports/conversation-store.ts";
import type { StoredLogin } from "../../ports/login-store.ts";
import { revokeThrough } from "./fresh-credential.ts";
import type { LoginDeps } from "./login-deps.ts";
import { instanceOf, isStored, storeLogin } from "./store-login.ts";

type Given = Pick<ProviderSecret, "apiKey" | "oauth">;

/** What a login gave exists once: it is not given up because Postgres hiccups. */
const STORE_TRIES_AFTER_MS = [0, 300, 1_000];

const CHANGED = "That provider was changed while you logged in; start the login again.";
const GONE = "The provider that this login was for is gone; start it again to connect a new one.";

/** Moves a login on, once: whoever comes second sees what the first one made of it. */
export async function settle(
  { store }: LoginDeps,
  scope: Scope,
  login: StoredLogin,
  error: string | null,
): Promise<StoredLogin> {
  const state = error === null ? "complete" : "failed";
  const providerId = error === null ? instanceOf(login) : login.providerId;
  if (await store.settle(scope, login.id, { state, providerId, error })) return { ...login, state, providerId, error };
  return (await store.find(scope, login.id)) ?? login;
}

/** A login that has left its credential is complete, whatever the vendor says to a second try. */
export async function fail(deps: LoginDeps, scope: Scope, login: StoredLogin, error: string): Promise<StoredLogin> {
  return await settle(deps, scope, login, (await isStored(deps, scope, login)) ? null : error);
}

/** Nobody will ever use what could not be stored. */
async function giveBack({ endpoints }: LoginDeps, login: StoredLogin, { oauth }: Given): Promise<void> {
  if (oauth) await endpoints.revoke(login.kind, oauth);
}

async function keep(deps: LoginDeps, scope: Scope, login: StoredLogin, given: Given, tries = 0) {
  await deps.wait(STORE_TRIES_AFTER_MS[tries] ?? 0);
  try {
    return await storeLogin(deps, scope, login, given);
  } catch (error) {
    const isAway = error instanceof AppError && error.code === "database_unavailable";
    if (!isAway || tries + 1 >= STORE_TRIES_AFTER_MS.length) throw error;
    return await keep(deps, scope, login, given, tries + 1);
  }
}

/** What another try would not mend: one sentence; null for anything else. */
function whyNever(error: unknown): string | null {
  if (!(error instanceof AppError)) return null;
  if (error.code === "version_conflict") return CHANGED;
  return error.code === "forbidden" ? error.message : null;
}

/**
 * Stores what the vendor gave and completes the login. What it replaces is told to the vendor as not needed any more.
 * @throws AppError `database_unavailable`
 */
export async function accept(deps: LoginDeps, scope: Scope, login: StoredLogin, given: Given): Promise<StoredLogin> {
  let kept: Awaited<ReturnType<typeof storeLogin>>;
  try {
    kept = await keep(deps, scope, login, given);
  } catch (error) {
    await giveBack(deps, login, given);
    const why = whyNever(error);
    if (why === null) throw error;
    return await settle(deps, scope, login, why);
  }
  if (!kept) {
    await giveBack(deps, login, given);
    return await settle(deps, scope, login, GONE);
  }
  const settled = await settle(deps, scope, login, null);
  if (kept.replaced && kept.replaced.credential?.id !== login.id) await revokeThrough(deps, kept.replaced);
  return settled;
}
