import type { ProviderSecret, SealedCredential } from "../../shared/domain/providers/provider-record.ts";
import { bindingOf } from "../../shared/ports/credential-vault.ts";
import type { Granted, OAuthTokens } from "../../shared/ports/login-endpoints.ts";
import type { FreshCredential } from "../../shared/ports/provider-logins.ts";
import { type KeeperDeps, pauseMs } from "./keeper-deps.ts";
import type { LiveLogin } from "./kept-login.ts";
import { fingerprint, openSecret } from "./open-secret.ts";

/** Whoever waits for an answer waits for its tokens too. */
const DEADLINE_MS = 20_000;
const FIRST_WAIT_MS = 500;
/** Who changes headers holds a token that is at most so many refreshes old. */
const SPENT_KEPT = 8;

type Failure = Extract<FreshCredential, { ok: false }>;

/** Asks the vendor until it says something that another try cannot change, or until the time is over. */
async function askAgain({ endpoints, timers, random, now }: KeeperDeps, login: LiveLogin, tokens: OAuthTokens) {
  const untilMs = now().getTime() + DEADLINE_MS;
  for (let waitMs = FIRST_WAIT_MS; ; waitMs *= 2) {
    const granted: Granted = await endpoints.refresh(login.bound.kind, tokens);
    if (granted.ok || granted.why !== "unavailable") return granted;
    const pause = Math.max(granted.retryAfterMs ?? 0, waitMs * (0.5 + random()));
    if (now().getTime() + pause > untilMs) return granted;
    await timers.wait(pause);
  }
}

/** Nobody needs a new token before the old one is over. */
function whileItLasts(
  { now }: KeeperDeps,
  { credential }: LiveLogin,
  isRefused: boolean,
  failure: Failure,
): FreshCredential {
  const lasts = !isRefused && credential.expiresAtMs !== null && credential.expiresAtMs > now().getTime();
  return lasts ? { ok: true, credential } : failure;
}

function notGranted(
  deps: KeeperDeps,
  login: LiveLogin,
  isRefused: boolean,
  { why, message }: Extract<Granted, { ok: false }>,
): FreshCredential {
  if (why === "misconfigured" || why === "unavailable")
    return whileItLasts(deps, login, isRefused, { ok: false, why, message });
  deps.book.write({ state: "ended", version: login.credential.version }, null);
  return { ok: false, why: "ended" };
}

/**
 * Writes the new tokens down before anybody gets them: the vendor may have thrown the old ones away already. What is lost
 * when the object dies before this line, is lost.
 */
function keep(deps: KeeperDeps, from: LiveLogin, credential: SealedCredential, spent: string[]): FreshCredential {
  const kept = deps.book.read();
  const savedVersion = kept?.state === "live" ? kept.savedVersion : from.savedVersion;
  deps.book.write({ ...from, credential, savedVersion, saveTries: 0, spent }, deps.now().getTime() + pauseMs(0));
  deps.save();
  return { ok: true, credential };
}

/** New tokens for those of `login`, which are as good as over, or which the vendor has refused before their time. */
export async function refreshTokens(deps: KeeperDeps, login: LiveLogin, isRefused: boolean): Promise<FreshCredential> {
  const opened = await openSecret(deps, login);
  if (!opened.ok) return opened;
  const { oauth } = opened.secret;
  if (!oauth?.refreshToken) return whileItLasts(deps, login, isRefused, { ok: false, why: "ended" });
  const spentToken = await fingerprint(oauth.refreshToken);
  const granted = await askAgain(deps, login, oauth);
  if (!granted.ok) return notGranted(deps, login, isRefused, granted);
  const { expiresAtMs: _over, ...old } = oauth;
  const secret: ProviderSecret = { ...opened.secret, oauth: { ...old, ...granted.secret.oauth } };
  const credential: SealedCredential = {
    ...login.credential,
    sealed: await deps.vault.seal(secret, bindingOf(login.bound)),
    expiresAtMs: granted.secret.oauth?.expiresAtMs ?? null,
    version: login.credential.version + 1,
  };
  const isSame = secret.oauth?.refreshToken === oauth.refreshToken;
  return keep(deps, login, credential, isSame ? login.spent : [spentToken, ...login.spent].slice(0, SPENT_KEPT));
}
