import { AppError } from "../../domain/app-error.ts";
import type { Scope } from "../../ports/conversation-store.ts";
import { bindingOf, VaultError } from "../../ports/credential-vault.ts";
import type { Granted, PendingLogin } from "../../ports/login-endpoints.ts";
import type { StoredLogin } from "../../ports/login-store.ts";
import type { LoginDeps } from "./login-deps.ts";
import { refusalOf } from "./login-trouble.ts";
import { accept, fail, settle } from "./settle-login.ts";
import { isStored } from "./store-login.ts";

/** Longer than one exchange can take: while it lasts, nobody else trades the same code. */
const CLAIM_MS = 12_000;
/** RFC 8628 3.5. */
const SLOW_DOWN_SECONDS = 5;
const DEFAULT_INTERVAL_SECONDS = 5;

const EXPIRED = "The time for this login is over; start it again.";
const UNREADABLE = "What this login began with cannot be read any more; start it again.";

type Redirect = { uri: string; parameters: URLSearchParams };

const inMs = ({ now }: LoginDeps, ms: number): string => new Date(now().getTime() + ms).toISOString();
const isOver = ({ now }: LoginDeps, { expiresAt }: StoredLogin): boolean => Date.parse(expiresAt) <= now().getTime();

async function openPending({ vault }: LoginDeps, login: StoredLogin): Promise<PendingLogin | null> {
  try {
    return (await vault.open(login.sealed, bindingOf(login))).pending ?? null;
  } catch (error) {
    if (error instanceof VaultError) return null;
    throw error;
  }
}

async function decide(deps: LoginDeps, scope: Scope, login: StoredLogin, granted: Granted): Promise<StoredLogin> {
  if (granted.ok) return await accept(deps, scope, login, granted.secret);
  if (granted.why !== "unavailable") return await fail(deps, scope, login, granted.message);
  throw new AppError("provider_unavailable", granted.message, { retryAfterMs: granted.retryAfterMs ?? CLAIM_MS });
}

/**
 * Ends a redirect login; one that has ended already stays what it is, and while one browser is at it another one waits.
 * @throws AppError `provider_unavailable` when the same address may be tried again
 */
export async function concludeLogin(
  deps: LoginDeps,
  scope: Scope,
  login: StoredLogin,
  redirect: Redirect,
): Promise<StoredLogin> {
  if (login.state !== "pending") return login;
  if (isOver(deps, login)) return await fail(deps, scope, login, EXPIRED);
  if (!(await deps.store.claimPoll(scope, login.id, inMs(deps, 0), inMs(deps, CLAIM_MS)))) return login;
  // An earlier try may have been cut off after it had stored what it got.
  if (await isStored(deps, scope, login)) return await settle(deps, scope, login, null);
  const refusal = redirect.parameters.get("error");
  if (refusal !== null) {
    const description = redirect.parameters.get("error_description");
    const vendor = deps.endpoints.vendorName(login.kind);
    return await fail(deps, scope, login, refusalOf(vendor, refusal, description).message);
  }
  const pending = await openPending(deps, login);
  if (!pending) return await fail(deps, scope, login, UNREADABLE);
  return await decide(deps, scope, login, await deps.endpoints.exchange(login.kind, redirect, pending));
}

/** Asks the vendor about a device login when it is time; any other login is what it is. */
export async function pollLogin(deps: LoginDeps, scope: Scope, login: StoredLogin): Promise<StoredLogin> {
  if (login.state !== "pending") return login;
  if (isOver(deps, login)) return await fail(deps, scope, login, EXPIRED);
  if (login.method !== "device") return login;
  const seconds = login.intervalSeconds ?? DEFAULT_INTERVAL_SECONDS;
  if (!(await deps.store.claimPoll(scope, login.id, inMs(deps, 0), inMs(deps, seconds * 1000)))) return login;
  const pending = await openPending(deps, login);
  if (!pending) return await fail(deps, scope, login, UNREADABLE);
  const granted = await deps.endpoints.poll(login.kind, pending);
  if (granted.ok) return await accept(deps, scope, login, granted.secret);
  if (granted.why === "slow-down") {
    const slower = seconds + SLOW_DOWN_SECONDS;
    await deps.store.slowDown(scope, login.id, slower, inMs(deps, slower * 1000));
  }
  const isWaiting = granted.why === "pending" || granted.why === "slow-down" || granted.why === "unavailable";
  return isWaiting ? login : await fail(deps, scope, login, granted.message);
}
