import { type KeeperDeps, pauseMs } from "./keeper-deps.ts";
import type { RevokingLogin } from "./kept-login.ts";
import { openSecret } from "./open-secret.ts";

/** About three hours of a vendor that does not answer; after that its tokens end by themselves. */
const REVOKE_TRIES = 10;

/** Tells Postgres of tokens that it does not have yet; while it is away, an alarm comes back to it. Never throws. */
export async function saveLogin({ book, providers, now }: KeeperDeps): Promise<void> {
  const login = book.read();
  if (login?.state !== "live" || login.saveTries === null) return;
  let saved: boolean | null = null;
  try {
    saved = await providers.replaceSecret(login.credential.id, login.savedVersion, login.credential);
  } catch {
    // Postgres is away.
  }
  const kept = book.read();
  if (kept?.state !== "live" || kept.saveTries === null) return;
  const isCurrent = kept.credential.sealed === login.credential.sealed;
  const savedVersion = saved ? login.credential.version : kept.savedVersion;
  if (saved === null || !isCurrent) {
    const saveTries = saved === null ? kept.saveTries + 1 : 0;
    book.write({ ...kept, savedVersion, saveTries }, now().getTime() + pauseMs(saveTries));
    return;
  }
  // Not saved: Postgres has something else, or this already without our having heard. Whoever calls next brings it.
  book.write({ ...kept, savedVersion, saveTries: null }, null);
}

/** Tells the vendor; while it is away, an alarm comes back to it. Afterwards no secret is left here. */
export async function revokeLogin(deps: KeeperDeps, login: RevokingLogin): Promise<void> {
  const opened = await openSecret(deps, login);
  const tokens = opened.ok ? opened.secret.oauth : undefined;
  const isTold = !tokens || (await deps.endpoints.revoke(login.bound.kind, tokens));
  const tries = login.tries + 1;
  if (isTold || tries >= REVOKE_TRIES) deps.book.write({ state: "ended", version: login.credential.version }, null);
  else deps.book.write({ ...login, tries }, deps.now().getTime() + pauseMs(tries));
}
