import { genericOAuth } from "better-auth/plugins/generic-oauth";
import type { SignInSettings } from "./sign-in-options.ts";

export const OIDC_PROVIDER_ID = "oidc";

const DISCOVERY_TIMEOUT_MS = 4_000;

/** Single sign-on as configured; null where it is not. */
export interface OidcConfiguration {
  discoveryUrl: string;
  clientId: string;
  clientSecret: string | undefined;
  name: string;
}

export function oidcConfiguration(settings: SignInSettings): OidcConfiguration | null {
  const { OIDC_ISSUER, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET, OIDC_NAME } = settings;
  if (!OIDC_ISSUER || !OIDC_CLIENT_ID) return null;
  return {
    discoveryUrl: `${OIDC_ISSUER.replace(/\/+$/, "")}/.well-known/openid-configuration`,
    clientId: OIDC_CLIENT_ID,
    clientSecret: OIDC_CLIENT_SECRET,
    name: OIDC_NAME,
  };
}

/** Whether the issuer answers now. better-auth asks it again without a time limit, and only once in its life. */
export async function isIssuerThere({ discoveryUrl }: OidcConfiguration): Promise<boolean> {
  try {
    const response = await fetch(discoveryUrl, { signal: AbortSignal.timeout(DISCOVERY_TIMEOUT_MS) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

export const oidcPlugin = ({ discoveryUrl, clientId, clientSecret, name }: OidcConfiguration) =>
  genericOAuth({
    config: [
      {
        providerId: OIDC_PROVIDER_ID,
        name,
        discoveryUrl,
        clientId,
        ...(clientSecret ? { clientSecret } : {}),
        scopes: ["openid", "profile", "email"],
        pkce: true,
        requireIdTokenVerification: true,
      },
    ],
  });
