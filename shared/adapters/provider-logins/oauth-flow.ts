import * as oauth from "oauth4webapi";
import { isSafeAddress, type VendorLogin } from "../../contract/provider-login-settings.ts";
import type { Begun, Granted, OAuthTokens } from "../../ports/login-endpoints.ts";
import { type FlowDeps, type LoginFlow, noSuchStep } from "./login-flow.ts";
import { troubleOf } from "./login-trouble.ts";
import { addressOf, oauthServer, throughFetch } from "./oauth-server.ts";
import { type Fetch, NoAnswer } from "./vendor-fetch.ts";

/** Asked no more often than that, where the vendor names no interval (RFC 8628 3.2). */
const INTERVAL_SECONDS = 5;

interface Party {
  login: VendorLogin;
  client: oauth.Client;
  authentication: oauth.ClientAuth;
  fetch: Fetch;
  server(): Promise<oauth.AuthorizationServer>;
}

/** Where a vendor names no lifetime, and new tokens can be had. */
const ASSUMED_LIFETIME_SECONDS = 3_600;

/** Tokens as they are sealed. Those that nothing renews and nothing ends are used until the vendor refuses them. */
function tokensOf(answer: oauth.TokenEndpointResponse, nowMs: number, canRenew: boolean): OAuthTokens {
  const assumed = canRenew || answer.refresh_token !== undefined ? ASSUMED_LIFETIME_SECONDS : undefined;
  const seconds = answer.expires_in ?? assumed;
  return {
    accessToken: answer.access_token,
    ...(answer.refresh_token === undefined ? {} : { refreshToken: answer.refresh_token }),
    ...(seconds === undefined ? {} : { expiresAtMs: nowMs + Math.round(seconds * 1000) }),
    ...(answer.scope === undefined ? {} : { scope: answer.scope }),
  };
}

function authenticationOf({ clientSecret, clientAuthentication }: VendorLogin): oauth.ClientAuth {
  if (clientSecret === undefined) return oauth.None();
  return clientAuthentication === "basic"
    ? oauth.ClientSecretBasic(clientSecret)
    : oauth.ClientSecretPost(clientSecret);
}

const scopeOf = ({ scopes }: VendorLogin) => (scopes === undefined ? {} : { scope: scopes });

async function beginRedirect(party: Party, { uri, state }: { uri: string; state: string }): Promise<Begun> {
  const verifier = oauth.generateRandomCodeVerifier();
  const url = new URL(addressOf(await party.server(), "authorization_endpoint"));
  const parameters = {
    response_type: "code",
    client_id: party.client.client_id,
    redirect_uri: uri,
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    ...scopeOf(party.login),
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return { ok: true, method: "redirect", url: url.href, pending: { verifier } };
}

async function beginDevice({ login, client, authentication, fetch, server }: Party): Promise<Begun> {
  const at = await server();
  addressOf(at, "device_authorization_endpoint");
  const wish = new URLSearchParams(scopeOf(login));
  const response = await oauth.deviceAuthorizationRequest(at, client, authentication, wish, throughFetch(fetch));
  const answer = await oauth.processDeviceAuthorizationResponse(at, client, response);
  const url = answer.verification_uri_complete ?? answer.verification_uri;
  // A page of ours offers it as a link.
  if (!URL.canParse(url) || !isSafeAddress(new URL(url)))
    throw new NoAnswer("sends people to an address that is not https", { isFinal: true });
  return {
    ok: true,
    method: "device",
    url,
    userCode: answer.user_code,
    expiresInMs: answer.expires_in * 1000,
    intervalSeconds: answer.interval ?? INTERVAL_SECONDS,
    pending: { deviceCode: answer.device_code },
  };
}

async function trade(
  { login, client, authentication, fetch }: Party,
  at: oauth.AuthorizationServer,
  redirect: { uri: string; parameters: URLSearchParams },
  verifier: string,
): Promise<oauth.TokenEndpointResponse> {
  const given = new URLSearchParams(redirect.parameters);
  // Without an issuer in the settings there is nothing to compare it with; state and PKCE bind the answer.
  if (login.issuer === undefined) given.delete("iss");
  // That the state is this login's is known before the login is even found by it.
  const checked = oauth.validateAuthResponse(at, client, given, given.get("state") ?? oauth.expectNoState);
  const { uri } = redirect;
  const options = throughFetch(fetch);
  const response = await oauth.authorizationCodeGrantRequest(
    at,
    client,
    authentication,
    checked,
    uri,
    verifier,
    options,
  );
  return await oauth.processAuthorizationCodeResponse(at, client, response);
}

async function revokeTokens({ client, authentication, fetch, server }: Party, tokens: OAuthTokens): Promise<void> {
  const at = await server();
  if (at.revocation_endpoint === undefined) return;
  // The refresh token first: with it goes, at most vendors, all that was made from it.
  for (const token of [tokens.refreshToken, tokens.accessToken]) {
    if (token === undefined) continue;
    const options = throughFetch(fetch, { reads: false });
    await oauth.processRevocationResponse(await oauth.revocationRequest(at, client, authentication, token, options));
  }
}

/** OAuth as the standards have it: authorization code with PKCE (RFC 7636), or the device grant (RFC 8628). */
export function createOAuthFlow(login: VendorLogin, { vendor, fetch, now }: FlowDeps): LoginFlow {
  const method = login.method ?? (login.deviceUrl === undefined ? "redirect" : "device");
  const client: oauth.Client = { client_id: login.clientId ?? "" };
  const authentication = authenticationOf(login);
  const party: Party = { login, client, authentication, fetch, server: oauthServer(login, { fetch, now }) };

  const granted = async (
    ask: (at: oauth.AuthorizationServer) => Promise<oauth.TokenEndpointResponse>,
    { canRenew } = { canRenew: false },
  ): Promise<Granted> => {
    try {
      return { ok: true, secret: { oauth: tokensOf(await ask(await party.server()), now(), canRenew) } };
    } catch (error) {
      return troubleOf(vendor, error);
    }
  };

  return {
    method,
    async begin(redirect) {
      try {
        return await (method === "redirect" ? beginRedirect(party, redirect) : beginDevice(party));
      } catch (error) {
        return troubleOf(vendor, error);
      }
    },
    async exchange(redirect, { verifier }) {
      if (verifier === undefined) return noSuchStep(vendor);
      return await granted((at) => trade(party, at, redirect, verifier));
    },
    async poll({ deviceCode }) {
      if (deviceCode === undefined) return noSuchStep(vendor);
      return await granted(async (at) => {
        const options = throughFetch(fetch);
        const response = await oauth.deviceCodeGrantRequest(at, client, authentication, deviceCode, options);
        return await oauth.processDeviceCodeResponse(at, client, response);
      });
    },
    async refresh({ refreshToken }) {
      if (refreshToken === undefined) return noSuchStep(vendor);
      return await granted(
        async (at) => {
          const options = throughFetch(fetch);
          const response = await oauth.refreshTokenGrantRequest(at, client, authentication, refreshToken, options);
          return await oauth.processRefreshTokenResponse(at, client, response);
        },
        { canRenew: true },
      );
    },
    async revoke(tokens) {
      try {
        await revokeTokens(party, tokens);
        return true;
      } catch (error) {
        return troubleOf(vendor, error).why !== "unavailable";
      }
    },
  };
}
