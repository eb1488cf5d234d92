import * as oauth from "oauth4webapi";
import type { VendorLogin } from "../../contract/provider-login-settings.ts";
import { type Fetch, NoAnswer, vendorFetch } from "./vendor-fetch.ts";

/** What a vendor says about its addresses is asked again after an hour. */
const KNOWN_FOR_MS = 3_600_000;

interface Request {
  method: string;
  headers: Record<string, string>;
  body?: URLSearchParams | undefined;
}

/** Options of every request. The addresses are checked where they are read; the library would refuse loopback ones. */
export function throughFetch(fetch: Fetch, { reads } = { reads: true }) {
  const ask = vendorFetch(fetch, { reads });
  return {
    [oauth.customFetch]: (url: string, { method, headers, body }: Request) =>
      ask(url, { method, headers, ...(body ? { body } : {}) }),
    [oauth.allowInsecureRequests]: true,
  };
}

const configured = (login: VendorLogin): Partial<oauth.AuthorizationServer> => ({
  ...(login.authorizationUrl === undefined ? {} : { authorization_endpoint: login.authorizationUrl }),
  ...(login.tokenUrl === undefined ? {} : { token_endpoint: login.tokenUrl }),
  ...(login.deviceUrl === undefined ? {} : { device_authorization_endpoint: login.deviceUrl }),
  ...(login.revocationUrl === undefined ? {} : { revocation_endpoint: login.revocationUrl }),
});

async function discover(issuer: string, fetch: Fetch): Promise<oauth.AuthorizationServer> {
  const url = new URL(issuer);
  const ask = async (algorithm: "oidc" | "oauth2") =>
    await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, { algorithm, ...throughFetch(fetch) }));
  try {
    return await ask("oidc");
  } catch (error) {
    if (error instanceof NoAnswer && !error.isFinal) throw error;
    return await ask("oauth2");
  }
}

/**
 * The addresses of one vendor: as the settings say, and what they leave out as the issuer says.
 * @returns a function that throws what `troubleOf` understands
 */
export function oauthServer(
  login: VendorLogin,
  deps: { fetch: Fetch; now: () => number },
): () => Promise<oauth.AuthorizationServer> {
  let known: { server: oauth.AuthorizationServer; untilMs: number } | null = null;
  return async () => {
    const own = configured(login);
    if (login.issuer === undefined) return { issuer: new URL(login.tokenUrl ?? "").origin, ...own };
    if (known && known.untilMs > deps.now()) return known.server;
    const server = { ...(await discover(login.issuer, deps.fetch)), ...own };
    known = { server, untilMs: deps.now() + KNOWN_FOR_MS };
    return server;
  };
}

/** @throws NoAnswer where neither the settings nor the issuer name it */
export function addressOf(
  server: oauth.AuthorizationServer,
  which: "authorization_endpoint" | "device_authorization_endpoint",
): string {
  const address = server[which];
  if (address === undefined) throw new NoAnswer(`has no ${which}`, { isFinal: true });
  return address;
}
