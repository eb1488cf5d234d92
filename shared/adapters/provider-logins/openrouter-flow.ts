import * as oauth from "oauth4webapi";
import * as z from "zod";
import type { VendorLogin } from "../../contract/provider-login-settings.ts";
import { type FlowDeps, type LoginFlow, noSuchStep } from "./login-flow.ts";
import { refusalOf, troubleOf } from "./login-trouble.ts";
import { NoAnswer, vendorFetch } from "./vendor-fetch.ts";

const AUTHORIZATION_URL = "https://openrouter.ai/auth";
const KEYS_URL = "https://openrouter.ai/api/v1/auth/keys";

const Key = z.looseObject({ key: z.string().regex(/^[\x21-\x7e]{1,4000}$/) });

/**
 * OpenRouter's own login (https://openrouter.ai/docs/guides/overview/auth/oauth): PKCE without clients, which ends in an
 * API key. It sends no `state` back; ours stands in the address that it sends the browser to.
 */
export function createOpenRouterFlow(login: VendorLogin | undefined, { vendor, fetch }: FlowDeps): LoginFlow {
  const authorizationUrl = login?.authorizationUrl ?? AUTHORIZATION_URL;
  const keysUrl = login?.tokenUrl ?? KEYS_URL;
  const post = vendorFetch(fetch);

  async function trade(code: string, verifier: string) {
    const response = await post(keysUrl, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify({ code, code_verifier: verifier, code_challenge_method: "S256" }),
    });
    // 403: code or verifier are not right; 400: a method other than at the start.
    if (!response.ok) return refusalOf(vendor, "invalid_grant");
    const body = Key.safeParse(await response.json());
    if (!body.success) throw new NoAnswer("answered without a key");
    return { ok: true as const, secret: { apiKey: body.data.key } };
  }

  return {
    method: "redirect",
    async begin({ uri, state }) {
      const verifier = oauth.generateRandomCodeVerifier();
      const callback = new URL(uri);
      callback.searchParams.set("state", state);
      const url = new URL(authorizationUrl);
      url.searchParams.set("callback_url", callback.href);
      url.searchParams.set("code_challenge", await oauth.calculatePKCECodeChallenge(verifier));
      url.searchParams.set("code_challenge_method", "S256");
      return { ok: true, method: "redirect", url: url.href, pending: { verifier } };
    },
    async exchange({ parameters }, { verifier }) {
      const code = parameters.get("code");
      if (code === null || verifier === undefined) return noSuchStep(vendor);
      try {
        return await trade(code, verifier);
      } catch (error) {
        const trouble = troubleOf(vendor, error);
        return error instanceof NoAnswer && error.status !== undefined ? refusalOf(vendor, "invalid_grant") : trouble;
      }
    },
    poll: async () => noSuchStep(vendor),
    refresh: async () => noSuchStep(vendor),
    // A key can be taken back by its owner alone, at openrouter.ai.
    revoke: async () => true,
  };
}
