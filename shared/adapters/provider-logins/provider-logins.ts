import * as oauth from "oauth4webapi";
import type { ProviderLogin } from "../../contract/provider.ts";
import { AppError } from "../../domain/app-error.ts";
import type { Scope } from "../../ports/conversation-store.ts";
import { bindingOf } from "../../ports/credential-vault.ts";
import type { StoredLogin } from "../../ports/login-store.ts";
import type { LoginStarter, ProviderLogins } from "../../ports/provider-logins.ts";
import { concludeLogin, pollLogin } from "./conclude-login.ts";
import { freshThrough, revokeThrough } from "./fresh-credential.ts";
import type { LoginDeps } from "./login-deps.ts";
import { type Place, placeOf, placeToRenew } from "./login-place.ts";
import { readRedirect } from "./pasted-redirect.ts";
import { targetOf } from "./store-login.ts";

/** How long a login may take; a vendor may allow less. */
const LIFETIME_MS = 15 * 60_000;

type Kind = StoredLogin["kind"];

const redirectUriOf = ({ settings }: Pick<LoginDeps, "settings">, kind: Kind): string =>
  `${settings.PUBLIC_URL}/api/providers/${kind}/callback`;

async function hashOf(state: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(state));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

const view = (login: StoredLogin): ProviderLogin => ({
  loginId: login.id,
  kind: login.kind,
  method: login.method,
  state: login.state,
  providerId: login.state === "complete" ? login.providerId : null,
  ...(login.error === null ? {} : { error: login.error }),
  expiresAt: login.expiresAt,
});

/** What an operator can do about a vendor that one cannot log in to. */
function notOffered({ endpoints, settings }: LoginDeps, kind: Kind): AppError {
  const entry = kind === "openai" ? '{"clientId"}' : '{"clientId", "authorizationUrl", "tokenUrl"}';
  const message = `Logging in at ${endpoints.vendorName(kind)} is not set up on ${new URL(settings.PUBLIC_URL).host}: give an API key instead, or have the operator set PROVIDER_LOGINS to {"${kind}": ${entry}}.`;
  return new AppError("invalid_request", message);
}

type Wish = Parameters<ProviderLogins["start"]>[2];

async function findPlace(deps: LoginDeps, starter: LoginStarter, kind: Kind, wish: Wish): Promise<Place> {
  if (wish.providerId === undefined) return placeOf(starter, wish);
  const found = await deps.providers.find({ userId: starter.userId }, wish.providerId);
  if (!found) throw new AppError("not_found", "There is no such provider, or it is not yours to see.");
  return placeToRenew(starter, found.record, targetOf(deps, kind));
}

async function start(deps: LoginDeps, starter: LoginStarter, kind: Kind, wish: Wish) {
  const { endpoints, store, vault, now } = deps;
  if (!endpoints.kinds().some((offered) => offered.kind === kind)) throw notOffered(deps, kind);
  const place = await findPlace(deps, starter, kind, wish);
  const state = oauth.generateRandomState();
  const begun = await endpoints.begin(kind, { uri: redirectUriOf(deps, kind), state });
  if (!begun) throw notOffered(deps, kind);
  if (!begun.ok) {
    const { why, message, retryAfterMs } = begun;
    const more = retryAfterMs === undefined ? {} : { retryAfterMs };
    throw new AppError(why === "unavailable" ? "provider_unavailable" : "provider_failed", message, more);
  }
  const isDevice = begun.method === "device";
  const lifetimeMs = isDevice ? Math.min(begun.expiresInMs, LIFETIME_MS) : LIFETIME_MS;
  const bound = { id: deps.newId(), kind, ...place, ownerUserId: starter.userId };
  const login: StoredLogin = {
    ...bound,
    method: begun.method,
    displayName: wish.displayName ?? null,
    providerId: wish.providerId ?? null,
    state: "pending",
    stateHash: isDevice ? null : await hashOf(state),
    sealed: await vault.seal({ pending: begun.pending }, bindingOf(bound)),
    error: null,
    expiresAt: new Date(now().getTime() + lifetimeMs).toISOString(),
    pollAfter: isDevice ? new Date(now().getTime() + begun.intervalSeconds * 1000).toISOString() : null,
    intervalSeconds: isDevice ? begun.intervalSeconds : null,
  };
  await store.create({ userId: starter.userId }, login);
  const { id: loginId, method, expiresAt } = login;
  return { loginId, method, url: begun.url, ...(isDevice ? { userCode: begun.userCode } : {}), expiresAt };
}

/** Logins at vendors: begun here, ended by a browser, a paste or a device, refreshed by the object of their credential. */
export function createProviderLogins(deps: LoginDeps): ProviderLogins {
  const { endpoints, store } = deps;

  async function finish(scope: Scope, login: StoredLogin, parameters: URLSearchParams): Promise<ProviderLogin> {
    return view(await concludeLogin(deps, scope, login, { uri: redirectUriOf(deps, login.kind), parameters }));
  }

  return {
    kinds: () => endpoints.kinds(),
    start: (starter, kind, wish) => start(deps, starter, kind, wish),
    async find(scope, loginId) {
      const login = await store.find(scope, loginId);
      return login && view(await pollLogin(deps, scope, login));
    },
    async finish(scope, loginId, { url }) {
      const login = await store.find(scope, loginId);
      if (!login) return null;
      if (login.method === "device")
        throw new AppError(
          "invalid_request",
          "This login has no address to paste; type its code at the vendor's page.",
        );
      const parameters = readRedirect(url, redirectUriOf(deps, login.kind));
      if ((await hashOf(parameters.get("state") ?? "")) === login.stateHash)
        return await finish(scope, login, parameters);
      const message = "This address is of another login; paste the one where this login ended, or start it again.";
      throw new AppError("invalid_request", message, { errors: [{ path: "url", message }] });
    },
    async finishByState(scope, kind, url) {
      const parameters = readRedirect(url, redirectUriOf(deps, kind));
      const login = await store.findByState(scope, await hashOf(parameters.get("state") ?? ""));
      // What another vendor is told must not end this vendor's login: RFC 9700 4.4.
      return login?.kind === kind ? await finish(scope, login, parameters) : null;
    },
    revoke: (record) => revokeThrough(deps, record),
    fresh: (record, refused) => freshThrough(deps, record, refused),
  };
}
